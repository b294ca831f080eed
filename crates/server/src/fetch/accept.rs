//! What may come back.
use hyper::header::{self, HeaderMap};

/// The types of content a request can use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Accept<'a> {
    /// `application/json` and what ends in `+json` (RFC 6839), in UTF-8 (RFC 8259, section 8.1).
    Json,
    /// One of these, each `type/subtype` or `type/*`.
    Types(&'a [String]),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::attempt::media_type;

    fn takes(accept: Accept<'_>, content_type: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().expect("a header"));
        accept.takes(&headers, &media_type(&headers))
    }

    #[test]
    fn json_is_json_in_utf_8() {
        for (content_type, json) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/problem+json", true),
            ("application/json; charset=gb18030", false),
            ("text/html", false),
            ("application/jsonp", false),
            ("text/html; x=application/json", false),
            ("image/x+json", false),
            ("", false),
        ] {
            assert_eq!(takes(Accept::Json, content_type), json, "{content_type}");
        }
        assert!(!Accept::Json.takes(&HeaderMap::new(), ""));
    }

    #[test]
    fn types_are_whole_or_a_kind() {
        let types = ["audio/*", "application/octet-stream"].map(str::to_owned);
        let sound = Accept::Types(&types);
        assert_eq!(sound.header(), "audio/*, application/octet-stream");
        for (content_type, taken) in [
            ("audio/wav", true),
            ("AUDIO/mpeg; rate=8000", true),
            ("application/octet-stream", true),
            ("application/json", false),
            ("audio", false),
            ("audiox/wav", false),
        ] {
            assert_eq!(takes(sound, content_type), taken, "{content_type}");
        }
    }

    #[test]
    fn what_is_packed_cannot_be_read() {
        for (coding, taken) in [("gzip", false), ("identity", true)] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, coding.parse().expect("a header"));
            assert_eq!(Accept::Json.takes(&headers, "application/json"), taken, "{coding}");
        }
    }
}
