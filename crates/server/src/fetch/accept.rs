//! What may come back.
use hyper::header::{self, HeaderMap};

/// The types of content a request can use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Accept<'a> {
    /// `application/json` and what ends in `+json` (RFC 6839), in UTF-8 (RFC 8259, section 8.1).
    Json,
    /// One of these, each `type/subtype` or `type/*`.
    Types(&'a [&'a str]),
}

impl Accept<'_> {
    /// The header of this name.
    pub(crate) fn header(&self) -> String {
        match self {
            Accept::Json => "application/json".to_owned(),
            Accept::Types(types) => types.join(", "),
        }
    }

    pub(crate) fn takes(&self, headers: &HeaderMap, media_type: &str) -> bool {
        let encoded = headers.get_all(header::CONTENT_ENCODING).iter().any(|coding| coding != "identity");
        let fits = match self {
            Accept::Json => {
                (media_type == "application/json"
                    || media_type.starts_with("application/") && media_type.ends_with("+json"))
                    && charset(headers).is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
            }
            Accept::Types(types) => types.iter().any(|wanted| match wanted.strip_suffix("/*") {
                Some(kind) => media_type.split_once('/').is_some_and(|(k, _)| k.eq_ignore_ascii_case(kind)),
                None => media_type.eq_ignore_ascii_case(wanted),
            }),
        };
        fits && !encoded
    }
}

fn charset(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, charset) =
        parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(charset.trim().trim_matches('"'))
}
