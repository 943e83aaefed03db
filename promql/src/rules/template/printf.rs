//! `printf` as Go's `Sprintf`, wrong uses included: `%!d(float64=1.5)`. This file reads the format;
//! `directive` writes the values.

mod directive;

use std::fmt::Write as _;

use super::value::Value;
use directive::Directive;

/// Widest field and longest fraction, as in Go.
const MAX_SIZE: i64 = 1_000_000;
/// Longest text: whoever calls refuses what is as long.
const MAX_TEXT_BYTES: usize = super::run::MAX_TEXT_BYTES + 1;

pub(super) fn printf(format: &str, args: &[Value]) -> String {
    let mut printer = Printer {
        rest: format,
        args,
        next: 0,
        is_reordered: false,
        is_good: true,
        out: String::new(),
    };
    while let Some(at) = printer.rest.find('%') {
        printer.out.push_str(&printer.rest[..at]);
        printer.rest = &printer.rest[at + 1..];
        printer.directive();
        if printer.out.len() > MAX_TEXT_BYTES {
            return printer.out;
        }
    }
    printer.out.push_str(printer.rest);
    printer.extra();
    printer.out
}

struct Printer<'p> {
    rest: &'p str,
    args: &'p [Value],
    next: usize,
    /// An argument was named by its number somewhere: none is too many then.
    is_reordered: bool,
    /// The number of the argument makes sense.
    is_good: bool,
    out: String,
}

impl Printer<'_> {
    fn take_char(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads a number below [`MAX_SIZE`].
    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        let value: i64 = number.parse().ok()?;
        self.rest = rest;
        (value <= MAX_SIZE).then_some(value as usize)
    }

    /// Reads `[n]`: the next argument is the n-th.
    fn argument_number(&mut self) {
        if !self.rest.starts_with('[') {
            return;
        }
        self.is_reordered = true;
        let Some(end) = self.rest.find(']') else {
            self.rest = &self.rest[1..];
            self.is_good = false;
            return;
        };
        let number = self.rest[1..end].parse::<usize>().ok();
        self.rest = &self.rest[end + 1..];
        match number.and_then(|number| number.checked_sub(1)) {
            Some(index) if index < self.args.len() => self.next = index,
            _ => self.is_good = false,
        }
    }

    /// Takes an argument as width or precision.
    fn size_argument(&mut self) -> Option<i64> {
        let value = self.args.get(self.next);
        self.next += usize::from(value.is_some());
        match value {
            Some(Value::Int(size)) if size.abs() <= MAX_SIZE => Some(*size),
            _ => None,
        }
    }

    fn directive(&mut self) {
        let mut directive = Directive::default();
        self.is_good = true;
        while let Some(flag) = self.rest.chars().next() {
            match flag {
                '-' => directive.left = true,
                '+' => directive.plus = true,
                ' ' => directive.space = true,
                '#' => directive.sharp = true,
                '0' => directive.zero = true,
                _ => break,
            }
            self.rest = &self.rest[1..];
        }
        self.argument_number();
        self.width(&mut directive);
        self.precision(&mut directive);
        self.argument_number();
        let Some(verb) = self.rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return;
        };
        self.rest = &self.rest[verb.len_utf8()..];
        if verb == '%' {
            self.out.push('%');
        } else if !self.is_good {
            let _ = write!(self.out, "%!{verb}(BADINDEX)");
        } else if let Some(arg) = self.args.get(self.next) {
            self.next += 1;
            self.out.push_str(&directive.written(verb, arg));
        } else {
            let _ = write!(self.out, "%!{verb}(MISSING)");
        }
    }

    fn width(&mut self, directive: &mut Directive) {
        if self.take_char('*') {
            match self.size_argument() {
                Some(width) => {
                    directive.left |= width < 0;
                    directive.width = Some(width.unsigned_abs() as usize);
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
        } else {
            directive.width = self.number();
        }
    }

    fn precision(&mut self, directive: &mut Directive) {
        if !self.take_char('.') {
            return;
        }
        self.argument_number();
        if self.take_char('*') {
            directive.precision = self
                .size_argument()
                .and_then(|size| usize::try_from(size).ok());
            if directive.precision.is_none() {
                self.out.push_str("%!(BADPREC)");
            }
        } else {
            directive.precision = Some(self.number().unwrap_or(0));
        }
    }

    fn extra(&mut self) {
        if self.is_reordered || self.next >= self.args.len() {
            return;
        }
        let shown: Vec<String> = self.args[self.next..]
            .iter()
            .map(|arg| match arg {
                Value::None => "<nil>".to_owned(),
                arg => format!("{}={}", arg.type_name(), arg.formatted()),
            })
            .collect();
        let _ = write!(self.out, "%!(EXTRA {})", shown.join(", "));
    }
}
