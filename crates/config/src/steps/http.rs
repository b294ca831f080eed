//! Questions to other systems.
use super::Lower;
use super::json::{body, path};
use crate::declare::{form_of, written};
use crate::finding::one_of;
use crate::forms;
use crate::install::unknown;
use crate::read::{Table, Value};
use crate::systems::Service;
use ivr::{Act, Http, HttpMethod, HttpPiece, JsonPath, JsonStep, StepId, Taken, Template, Type, VarId};
use std::sync::Arc;

const METHODS: [(&str, HttpMethod); 5] = [
    ("get", HttpMethod::Get),
    ("post", HttpMethod::Post),
    ("put", HttpMethod::Put),
    ("patch", HttpMethod::Patch),
    ("delete", HttpMethod::Delete),
];
/// Bytes of an answer, where no service says otherwise.
const BODY_MAX: usize = 64 * 1024;
/// Names in `query`, `headers`, `map` and the like.
const ENTRIES_MAX: usize = 100;

type Pieces = Vec<(Arc<str>, Vec<HttpPiece>)>;

impl<'a> Lower<'a, '_, '_> {
    pub(super) fn http(&mut self, table: &Table<'a>) -> Option<Act> {
        let request = table.get("http").and_then(|v| v.table());
        let request = request.and_then(|t| {
            let t = t.titled(format!("`http` of step `{}`", self.name)).form(&forms::REQUEST);
            let request = self.request(&t);
            t.done();
            request
        });
        let mut into = vec![];
        if let Some(value) = table.get("into") {
            into.extend(self.whole_record(&value).unwrap_or_default());
        }
        if let Some(map) = table.get("map").and_then(|v| v.table()) {
            for entry in map.entries().into_iter().take(ENTRIES_MAX) {
                self.mapped(&entry, "", &mut into);
            }
        }
        let status = table.get("status");
        let status = status.map(|value| self.target_of(&value, Type::Number, "a status"));
        let on_status = table.get("on_status").and_then(|v| v.table()).map(|t| t.entries());
        let on_status: Vec<_> =
            on_status.unwrap_or_default().iter().filter_map(|entry| self.on_status(entry)).collect();
        let next = self.next(table);
        let on_error = match table.get("on_error") {
            Some(value) => self.exit(&value, &format!("{}: `on_error` leads to", table.title)),
            None => {
                self.findings.error_help(
                    self.site.at,
                    "http-without-fallback",
                    format!("{} has no `on_error`: a caller is lost when nobody answers", table.title),
                    "name the step for when there is no good answer in time".to_owned(),
                );
                None
            }
        };
        let request = request?;
        Some(Act::Http(Box::new(Http {
            into,
            status: status.map_or(Some(None), |s| s.map(Some))?,
            on_status,
            next: next?,
            on_error: on_error?,
            ..request
        })))
    }

    /// What is asked, without what becomes of the answer.
    fn request(&mut self, table: &Table<'a>) -> Option<Http> {
        let services = &self.install.systems.services;
        let service: Option<(Arc<str>, Option<&Service>)> = table.get("service").and_then(|value| {
            let name = value.text()?;
            let found = services.get_key_value(name);
            if found.is_none() {
                unknown(&value, "service", name, services.keys().map(|s| &**s));
            }
            found.map(|(name, service)| (name.clone(), service.as_ref()))
        });
        let given: Vec<(HttpMethod, Value<'a>)> =
            METHODS.iter().filter_map(|(key, method)| Some((*method, table.get(key)?))).collect();
        let keys = || METHODS.map(|(key, _)| key);
        let (method, value) = match given[..] {
            [one] => one,
            [] => {
                self.findings.error_help(
                    table.at(),
                    "bad-request",
                    format!("{} does not say what is asked", table.title),
                    format!("give it one of {}: `get = \"/customers/{{caller}}\"`", one_of(keys())),
                );
                return None;
            }
            [_, (_, second), ..] => {
                second.error("bad-request", format!("{} asks two things at once", table.title));
                return None;
            }
        };
        let named = table.has("service");
        let (host, url) = self.url(&value, service.as_ref().map(|(_, s)| *s), named)?;
        let query = self.pieces_of(table, "query");
        let mut headers = self.pieces_of(table, "headers");
        for (name, _) in &headers {
            let token = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            if !name.chars().all(token) || name.is_empty() {
                let what = format!("no header can be called `{}`", crate::shorten(name));
                self.findings.error(table.at(), "bad-request", what);
            }
        }
        let declared = service.as_ref().and_then(|(_, s)| *s);
        if let Some(declared) = declared {
            let own = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
            let theirs: Pieces = declared.headers.iter().filter(|(n, _)| !own(n)).cloned().collect();
            headers.extend(theirs);
        }
        let json = table.get("json");
        if let Some(value) = json
            && !matches!(method, HttpMethod::Post | HttpMethod::Put | HttpMethod::Patch)
        {
            value.findings.error_help(
                value.key_at(),
                "bad-request",
                format!("a {} has no body", method.as_str()),
                "use post, put or patch, or put it into `query`".to_owned(),
            );
        }
        let body = json.and_then(|value| body(self, &value, 0));
        let timeout = table.length("timeout").or(declared.and_then(|d| d.timeout));
        if timeout.is_none() && !table.has("timeout") && (declared.is_some() || !named) {
            let what = format!("{} has no `timeout`: how long would a caller wait?", table.title);
            let help = "write `timeout = \"2s\"` here or at the service".to_owned();
            self.findings.error_help(table.at(), "http-without-timeout", what, help);
        }
        Some(Http {
            service: service.map_or(host, |(name, _)| name),
            method,
            url,
            query,
            headers,
            body,
            timeout: timeout?,
            retries: table.whole("retries").or(declared.map(|d| d.retries)).unwrap_or(0),
            body_max: declared.map_or(BODY_MAX, |d| d.answer_max),
            into: vec![],
            status: None,
            on_status: vec![],
            next: StepId(0),
            on_error: StepId(0),
        })
    }

    /// The host, and the url with its templates.
    fn url(
        &mut self,
        value: &Value<'a>,
        service: Option<Option<&Service>>,
        named: bool,
    ) -> Option<(Arc<str>, Vec<HttpPiece>)> {
        let text = value.word()?;
        let pieces = self.pieces(value)?;
        if named {
            if !text.starts_with('/') {
                value.error_help(
                    "bad-url",
                    format!("\"{}\" is no path of the service", crate::shorten(text)),
                    "begin with a slash: it goes behind the service's url".to_owned(),
                );
                return None;
            }
            let base = service??.url.clone();
            let base = HttpPiece::Template(Template::text(&base));
            return Some(("".into(), std::iter::once(base).chain(pieces).collect()));
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.map(|r| r.split(['/', '?', '#']).next().unwrap_or(""));
        let plain =
            |h: &&str| !h.is_empty() && h.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
        let Some(host) = host.filter(plain) else {
            value.error_help(
                "bad-url",
                format!("\"{}\" is no url with a host of its own", crate::shorten(text)),
                "write \"https://HOST/PATH\", or name the `service` whose path it is".to_owned(),
            );
            return None;
        };
        Some((host.into(), pieces))
    }

    fn pieces_of(&mut self, table: &Table<'a>, key: &'static str) -> Pieces {
        let entries = table.get(key).and_then(|v| v.table()).map(|t| t.entries()).unwrap_or_default();
        let pieces = entries.iter().take(ENTRIES_MAX).filter_map(|entry| {
            let pieces = if entry.is_text() {
                self.pieces(entry)?
            } else {
                vec![HttpPiece::Template(self.template(entry)?)]
            };
            Some((entry.key.into(), pieces))
        });
        pieces.collect()
    }

    /// A text with templates and with `{secret.NAME}`.
    fn pieces(&mut self, value: &Value<'a>) -> Option<Vec<HttpPiece>> {
        let pieces = self.expression(value, ivr::http_pieces(value.text()?, &self.types))?;
        let known = &self.install.systems.secrets;
        for piece in &pieces {
            match piece {
                HttpPiece::Template(template) => self.note_reads(template.reads(), value.at()),
                HttpPiece::Secret(name) if known.contains(name) => {}
                HttpPiece::Secret(name) => {
                    unknown(value, "secret", name, known.iter().map(|s| &**s));
                    return None;
                }
            }
        }
        Some(pieces)
    }

    /// `into = "customer"`: every field by its name.
    fn whole_record(&mut self, value: &Value<'a>) -> Option<Vec<Taken>> {
        let (into, kind) = self.target(value)?;
        let Type::Record(id) = kind else {
            let name = value.as_text().unwrap_or("");
            value.error_help(
                "type",
                format!("an answer's fields need a record, and `{name}` is a {kind}"),
                format!("take single values: map = {{ {name} = \"PLACE.IN.THE.ANSWER\" }}"),
            );
            return None;
        };
        let records = self.records.all();
        let fields = &records.get(usize::from(id.0))?.fields;
        let taken = |(i, field): (usize, &ivr::Field)| Taken {
            into,
            field: u16::try_from(i).ok(),
            path: JsonPath(vec![JsonStep::Key(field.name.clone())]),
            kind: field.kind,
            default: Some(field.default.clone()),
        };
        Some(fields.iter().enumerate().map(taken).collect())
    }

    /// `name = "data.name"`, `"customer.class" = { path = "data.class", default = "standard" }`.
    fn mapped(&mut self, entry: &Value<'a>, before: &str, into: &mut Vec<Taken>) {
        let name = format!("{before}{}", entry.key);
        let spec = entry.is_table().then(|| entry.table()).flatten();
        // `customer.class = ...` is a table in TOML.
        if let Some(spec) = &spec
            && before.is_empty()
            && !spec.has("path")
            && self.types.find(entry.key).is_some_and(|v| matches!(v.kind, Type::Record(_)))
        {
            let prefix = format!("{name}.");
            spec.entries().iter().take(ENTRIES_MAX).for_each(|field| self.mapped(field, &prefix, into));
            return;
        }
        let (variable, field) = name.split_once('.').map_or((&*name, None), |(v, f)| (v, Some(f)));
        let Some((id, kind)) = self.variable(variable, entry.key_at()) else { return };
        let Some((field, kind)) = self.place(id, kind, variable, field, entry) else { return };
        let (path_value, default) = match spec {
            None => (Some(*entry), None),
            Some(spec) => {
                let spec = spec.titled(format!("`{name}`")).form(&forms::MAPPED);
                let path = spec.need("path", "write where it stands: `path = \"data.class\"`");
                let default = spec.get("default").map(|value| {
                    let default = written(&value, kind, &self.zone);
                    if default.is_none() {
                        value.wrong_type(form_of(kind));
                    }
                    default
                });
                spec.done();
                (path, default)
            }
        };
        let Some(path) = path_value.and_then(|v| path(&v)) else { return };
        let Some(default) = default.map_or(Some(None), |d| d.map(Some)) else { return };
        into.push(Taken { into: id, field, path, kind, default });
    }

    /// The variable itself, or a field of it.
    fn place(
        &mut self,
        id: VarId,
        kind: Type,
        variable: &str,
        field: Option<&str>,
        entry: &Value<'a>,
    ) -> Option<(Option<u16>, Type)> {
        if id == VarId::LANGUAGE || id == VarId::SEVERITY {
            entry.findings.error_help(
                entry.key_at(),
                "type",
                format!("`{variable}` takes no text that nobody has looked at"),
                "take it into a variable of its own, and look at that with `branch` or `language`".to_owned(),
            );
            return None;
        }
        match (kind, field) {
            (Type::Record(record), Some(wanted)) => {
                let records = self.records.all();
                let fields = &records.get(usize::from(record.0))?.fields;
                let Some(at) = fields.iter().position(|f| &*f.name == wanted) else {
                    let names = || fields.iter().map(|f| &*f.name);
                    let help = crate::finding::did_you_mean(wanted, names())
                        .unwrap_or_else(|| format!("its fields: {}", crate::finding::all_of(names())));
                    let what = format!("`{variable}` has no field `{}`", crate::shorten(wanted));
                    entry.findings.error_help(entry.key_at(), "unknown-field", what, help);
                    return None;
                };
                Some((u16::try_from(at).ok(), fields[at].kind))
            }
            (Type::Record(_), None) => {
                let what = format!("`{variable}` is a record: take its fields one by one");
                let help =
                    format!("write `\"{variable}.FIELD\" = \"data.field\"`, or `into = \"{variable}\"`");
                entry.findings.error_help(entry.key_at(), "type", what, help);
                None
            }
            (_, Some(_)) => {
                let what = format!("`{variable}` is a {kind} and has no fields");
                entry.findings.error(entry.key_at(), "unknown-field", what);
                None
            }
            (_, None) => Some((None, kind)),
        }
    }

    /// `404 = "step"`, `"5xx" = "step"`.
    fn on_status(&mut self, entry: &Value<'a>) -> Option<(u16, u16, Arc<str>, StepId)> {
        let range = match entry.key.strip_suffix("xx") {
            Some(hundred) => {
                hundred.parse::<u16>().ok().filter(|h| (1..=5).contains(h)).map(|h| (h * 100, h * 100 + 99))
            }
            None => entry.key.parse::<u16>().ok().filter(|s| (100..=599).contains(s)).map(|s| (s, s)),
        };
        if range.is_none() {
            entry.findings.error_help(
                entry.key_at(),
                "bad-status",
                format!("`{}` is no status", crate::shorten(entry.key)),
                "write 404, or \"5xx\" for all of a hundred".to_owned(),
            );
        }
        let to =
            self.exit(entry, &format!("step `{}`: status {} leads to", self.name, crate::shorten(entry.key)));
        let ((first, last), to) = range.zip(to)?;
        Some((first, last, entry.key.into(), to))
    }
}
