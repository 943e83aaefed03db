// Renders openapi.json: every operation with its parameters, bodies and answers, and a form that
// sends it. Text only ever becomes text nodes, so nothing in the document can become markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key === "class") made.className = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

function resolve(api, schema) {
  let found = schema;
  for (let hops = 0; found && found.$ref && hops < 16; hops += 1) {
    const path = found.$ref.replace(/^#\//, "").split("/");
    found = path.reduce((at, part) => (at ? at[part] : undefined), api);
  }
  return found || {};
}

function typeName(api, schema) {
  if (!schema) return "any";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.oneOf || schema.anyOf) {
    return (schema.oneOf || schema.anyOf).map((one) => typeName(api, one)).join(" or ");
  }
  if (schema.type === "array") return `list of ${typeName(api, schema.items)}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type || "any";
  return schema.enum ? schema.enum.map((word) => JSON.stringify(word)).join(", ") : type;
}

function limits(schema) {
  const parts = [];
  if (schema.minimum !== undefined || schema.maximum !== undefined) {
    parts.push(`${schema.minimum ?? "…"} to ${schema.maximum ?? "…"}`);
  }
  if (schema.minLength !== undefined || schema.maxLength !== undefined) {
    parts.push(`${schema.minLength ?? 0} to ${schema.maxLength ?? "…"} characters`);
  }
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.join("; ");
}

function fields(api, schema) {
  const whole = resolve(api, schema);
  if (!whole.properties) return element("p", {}, typeName(api, schema));
  const required = new Set(whole.required || []);
  const rows = Object.entries(whole.properties).map(([name, own]) => {
    const shape = own.$ref ? resolve(api, own) : own;
    return element("tr", {},
      element("td", {}, element("code", {}, name), required.has(name) ? " *" : ""),
      element("td", {}, typeName(api, own)),
      element("td", {}, [own.description || shape.description, limits(own)].filter(Boolean).join("; ")));
  });
  return element("table", {}, element("tbody", {}, ...rows));
}

function example(api, schema, depth = 0) {
  const whole = resolve(api, schema);
  if (whole.example !== undefined) return whole.example;
  if (whole.default !== undefined) return whole.default;
  if (whole.enum) return whole.enum[0];
  if (whole.oneOf || whole.anyOf) return example(api, (whole.oneOf || whole.anyOf)[0], depth + 1);
  const type = Array.isArray(whole.type) ? whole.type.find((one) => one !== "null") : whole.type;
  if (type === "array") return depth > 4 ? [] : [example(api, whole.items, depth + 1)];
  if (type === "object" || whole.properties) {
    const made = {};
    for (const [name, own] of Object.entries(whole.properties || {})) {
      if (depth < 4) made[name] = example(api, own, depth + 1);
    }
    return made;
  }
  if (type === "integer" || type === "number") return whole.minimum ?? 1;
  if (type === "boolean") return true;
  return "";
}

function parameterTable(parameters) {
  const rows = parameters.map((one) => element("tr", {},
    element("td", {}, element("code", {}, one.name), one.required ? " *" : ""),
    element("td", {}, one.in),
    element("td", {}, [one.description, limits(one.schema || {})].filter(Boolean).join("; ")),
    element("td", {}, element("input", { name: `${one.in}:${one.name}`, "aria-label": one.name }))));
  return element("table", {}, element("tbody", {}, ...rows));
}

async function send(form, method, path, output) {
  let target = path;
  const query = new URLSearchParams();
  const headers = {};
  for (const input of form.querySelectorAll("input[name]")) {
    const [place, name] = [input.name.slice(0, input.name.indexOf(":")), input.name.slice(input.name.indexOf(":") + 1)];
    if (place === "path") target = target.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value === "") continue;
    else if (place === "query") query.set(name, input.value);
    else if (place === "header") headers[name] = input.value;
  }
  const token = document.getElementById("token").value;
  if (token) headers.authorization = `Bearer ${token}`;
  const body = form.querySelector("textarea");
  if (body) headers["content-type"] = "application/json";
  if (String(query)) target += `?${query}`;
  output.textContent = `${method} ${target} …`;
  try {
    const began = performance.now();
    const answer = await fetch(target.replace(/^\//, ""), { method, headers, body: body ? body.value : undefined });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it came */ }
    output.textContent = `${answer.status} ${answer.statusText} in ${Math.round(performance.now() - began)} ms\n\n${shown}`;
  } catch (error) {
    output.textContent = `No answer: ${error.message}`;
  }
}

function operation(api, path, method, own) {
  const upper = method.toUpperCase();
  const content = Object.values((own.requestBody || {}).content || {})[0];
  const answers = Object.entries(own.responses || {}).map(([status, answer]) => {
    const schema = Object.values(answer.content || {})[0];
    return element("tr", {},
      element("td", {}, element("code", {}, status)),
      element("td", {}, answer.description || ""),
      element("td", {}, schema ? typeName(api, schema.schema) : ""));
  });
  const output = element("pre", { hidden: true });
  const form = element("form", {},
    (own.parameters || []).length ? element("h4", {}, "Parameters") : undefined,
    (own.parameters || []).length ? parameterTable(own.parameters) : undefined,
    content ? element("h4", {}, `Body: ${typeName(api, content.schema)}`) : undefined,
    content ? fields(api, content.schema) : undefined,
    content ? element("textarea", { "aria-label": "body", spellcheck: "false" }, JSON.stringify(example(api, content.schema), null, 2)) : undefined,
    element("p", {}, element("button", { type: "submit" }, "Send")), output);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    output.hidden = false;
    send(form, upper, path, output);
  });
  const secured = (own.security || []).length > 0;
  return element("details", { class: "operation", "data-words": `${upper} ${path} ${own.summary || ""} ${(own.tags || []).join(" ")}`.toLowerCase() },
    element("summary", {},
      element("span", { class: `method ${upper}` }, upper),
      element("span", { class: "path" }, path),
      element("span", { class: "note" }, own.summary || "", secured ? " · token" : "")),
    element("div", {},
      own.description ? element("p", {}, own.description) : undefined,
      form,
      element("h4", {}, "Answers"),
      element("table", {}, element("tbody", {}, ...answers))));
}

function render(api) {
  document.title = api.info.title;
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  document.getElementById("about").textContent = api.info.description || "";
  const byTag = new Map((api.tags || []).map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((one) => item[one])) {
      const tag = (item[method].tags || ["other"])[0];
      if (!byTag.has(tag)) byTag.set(tag, []);
      byTag.get(tag).push(operation(api, path, method, item[method]));
    }
  }
  const sections = [...byTag].filter(([, all]) => all.length)
    .map(([tag, all]) => element("section", {}, element("h2", {}, tag), ...all));
  document.getElementById("operations").replaceChildren(...sections);
  document.getElementById("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const one of document.querySelectorAll("details.operation")) {
      one.hidden = !one.dataset.words.includes(wanted);
    }
    for (const section of document.querySelectorAll("section")) {
      section.hidden = ![...section.querySelectorAll("details.operation")].some((one) => !one.hidden);
    }
  });
}

fetch("openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`status ${answer.status}`))))
  .then(render)
  .catch((error) => {
    document.getElementById("operations").replaceChildren(
      element("p", { class: "error" }, `openapi.json could not be read: ${error.message}. Reload the page to try again.`));
  });
