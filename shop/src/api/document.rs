//! Makes the `OpenAPI` 3.1 document of a list of operations. Pure.

use std::borrow::Cow;

use axum::http::{Method, StatusCode};
use utoipa::{
    ToSchema,
    openapi::{
        Components, ComponentsBuilder, Content, ContentBuilder, HttpMethod, InfoBuilder, OpenApi,
        OpenApiBuilder, PathItem, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
        SecurityRequirement, ServerBuilder,
        path::{OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder},
        request_body::RequestBodyBuilder,
        schema::{ObjectBuilder, SchemaType, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};

use super::shapes::Problem;
use crate::{config::Role, http::problem::PROBLEM_JSON};

const JSON: &str = "application/json";
const TOKEN: &str = "token";
/// Longest key that is taken.
const LONGEST_KEY: usize = 80;
/// Largest number that every JSON reader keeps exactly.
const LARGEST_ID: i64 = (1 << 53) - 1;

/// A body by its type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    name: fn() -> Cow<'static, str>,
    describe: fn(ComponentsBuilder) -> ComponentsBuilder,
}

/// Returns the shape of a type.
pub(crate) const fn shape<T: ToSchema>() -> Shape {
    Shape {
        name: T::name,
        describe: with_parts::<T>,
    }
}

/// Describes a type and every type it is made of.
fn with_parts<T: ToSchema>(builder: ComponentsBuilder) -> ComponentsBuilder {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    builder.schema_from::<T>().schemas_from_iter(parts)
}

/// A parameter of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Query {
    /// A whole number within bounds.
    Whole(&'static str, i64, i64, &'static str),
    /// A text up to a length.
    Text(&'static str, usize, &'static str),
    /// A word of a closed set.
    Word(&'static str, &'static [&'static str], &'static str),
}

/// What is told of a route beyond its row in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Query],
    /// Whether it takes an `Idempotency-Key`.
    pub(crate) is_keyed: bool,
    pub(crate) body: Option<Shape>,
    pub(crate) answer: Option<Shape>,
}

/// One operation of the document.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    pub(crate) owner: Role,
    /// Whether it is refused without a token.
    pub(crate) is_secured: bool,
    /// Success first.
    pub(crate) statuses: Vec<u16>,
    pub(crate) about: About,
}

/// Makes the document.
pub(crate) fn document(operations: &[Operation]) -> OpenApi {
    let info = InfoBuilder::new()
        .title("obs-tui shop")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "An e-commerce system to watch and to break. Amounts are whole cents; times are \
             milliseconds since the epoch; refusals are application/problem+json and name every \
             field at fault.",
        ));
    let mut tags: Vec<Role> = operations.iter().map(|operation| operation.owner).collect();
    tags.sort_unstable();
    tags.dedup();
    let mut paths = PathsBuilder::new();
    for operation in operations {
        if let Some(method) = http_method(&operation.method) {
            paths = paths.path(
                operation.template,
                PathItem::new(method, described(operation)),
            );
        }
    }
    OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([ServerBuilder::new().url(".").build()]))
        .tags(Some(
            tags.iter()
                .map(|role| TagBuilder::new().name(role.name()).build()),
        ))
        .paths(paths.build())
        .components(Some(components(operations)))
        .build()
}

fn components(operations: &[Operation]) -> Components {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token that POST /users/login answers."));
    let bodies = operations
        .iter()
        .flat_map(|operation| [operation.about.body, operation.about.answer])
        .flatten();
    bodies
        .chain([shape::<Problem>()])
        .fold(ComponentsBuilder::new(), |builder, body| {
            (body.describe)(builder)
        })
        .security_scheme(TOKEN, SecurityScheme::Http(bearer.build()))
        .build()
}

fn described(operation: &Operation) -> OperationBuilder {
    let about = operation.about;
    let mut builder = OperationBuilder::new()
        .tag(operation.owner.name())
        .summary(Some(about.summary))
        .operation_id(Some(operation_id(operation)));
    if operation.is_secured {
        builder = builder.security(SecurityRequirement::new(TOKEN, Vec::<String>::new()));
    }
    for name in path_parameters(operation.template) {
        builder = builder.parameter(path_parameter(name));
    }
    for query in about.query {
        builder = builder.parameter(query_parameter(*query));
    }
    if about.is_keyed {
        builder = builder.parameter(key_parameter());
    }
    if let Some(body) = about.body {
        let request = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content(JSON, content(body));
        builder = builder.request_body(Some(request.build()));
    }
    for (at, status) in operation.statuses.iter().enumerate() {
        let response = if at == 0 {
            success(*status, about.answer)
        } else {
            refusal(*status)
        };
        builder = builder.response(status.to_string(), response);
    }
    builder
}

fn operation_id(operation: &Operation) -> String {
    let path = operation.template.replace(['/', '{', '}'], "_");
    let words = path.split('_').filter(|word| !word.is_empty());
    let method = operation.method.as_str().to_ascii_lowercase();
    words.fold(method, |id, word| format!("{id}_{word}"))
}

fn path_parameters(template: &str) -> impl Iterator<Item = &str> {
    let parts = template.split('/');
    parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn path_parameter(name: &str) -> ParameterBuilder {
    let schema = if name == "code" {
        text(1, 32)
    } else {
        whole(1, LARGEST_ID)
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(schema))
}

fn query_parameter(query: Query) -> ParameterBuilder {
    let (name, schema, about) = match query {
        Query::Whole(name, least, most, about) => (name, whole(least, most), about),
        Query::Text(name, longest, about) => (name, text(0, longest), about),
        Query::Word(name, words, about) => (
            name,
            text(0, 40).enum_values(Some(words.iter().copied())),
            about,
        ),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
}

fn key_parameter() -> ParameterBuilder {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The same key and body again get the first answer again. Without a login or a visit a UUID \
             stands for a visit, and what anybody could guess is refused.",
        ))
        .schema(Some(text(1, LONGEST_KEY).pattern(Some("^[!-~]+$"))))
}

fn whole(least: i64, most: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .minimum(Some(least))
        .maximum(Some(most))
}

fn text(shortest: usize, longest: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .min_length(Some(shortest))
        .max_length(Some(longest))
}

fn content(body: Shape) -> Content {
    let schema: RefOr<Schema> = Ref::from_schema_name((body.name)()).into();
    ContentBuilder::new().schema(Some(schema)).build()
}

fn success(status: u16, answer: Option<Shape>) -> Response {
    let builder = ResponseBuilder::new().description(phrase(status));
    match answer {
        Some(answer) => builder.content(JSON, content(answer)).build(),
        None => builder.build(),
    }
}

fn refusal(status: u16) -> Response {
    ResponseBuilder::new()
        .description(phrase(status))
        .content(PROBLEM_JSON, content(shape::<Problem>()))
        .build()
}

fn phrase(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).ok();
    status
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Answer")
}

fn http_method(method: &Method) -> Option<HttpMethod> {
    match method.as_str() {
        "GET" => Some(HttpMethod::Get),
        "POST" => Some(HttpMethod::Post),
        "PUT" => Some(HttpMethod::Put),
        "DELETE" => Some(HttpMethod::Delete),
        _ => None,
    }
}
