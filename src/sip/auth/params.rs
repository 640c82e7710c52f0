//! Reads `Digest name=value, name="quoted"` lists: challenges and credentials have one shape.

/// The parameters of one `Digest` header value, names as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// Most parameters of one value that are read; more is not a digest.
const PARAMS_MAX: usize = 32;

impl Params {
    /// Reads one header value. `None`: another scheme, or no list of parameters.
    pub fn digest(value: &str) -> Option<Self> {
        let value = value.trim();
        let (scheme, rest) = value.split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut params = Params::default();
        let mut rest = rest.trim_start();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=')?;
            let (text, after) = value_of(after.trim_start())?;
            if params.0.len() == PARAMS_MAX || params.get(name.trim()).is_some() {
                return None;
            }
            params.0.push((name.trim().to_owned(), text));
            rest = match after.trim_start() {
                "" => "",
                more => more.strip_prefix(',')?.trim_start_matches([' ', '\t', ',']),
            };
        }
        Some(params)
    }

    /// The value of `name` (any case), unquoted.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// One value, quoted or token, and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[i + 1..])),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

/// `text` as a quoted-string.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_comma_and_an_escaped_quote_do_not_split_a_value() {
        let p = Params::digest(r#"digest Realm="a, \"b\"" ,nc=00000001,qop=auth"#).unwrap();
        assert_eq!(p.get("realm"), Some("a, \"b\""));
        assert_eq!((p.get("NC"), p.get("qop"), p.get("uri")), (Some("00000001"), Some("auth"), None));
        assert_eq!(quote("a\"b\r\n\\"), r#""a\"b\\""#);
    }

    #[test]
    fn what_is_not_a_digest_is_nothing() {
        for bad in
            ["", "Digest", "Basic abc", "NoOneKnowsThisScheme opaque-data=here", "Digest a", "Digest a=\"x", "Digest a=1,a=2"]
        {
            assert_eq!(Params::digest(bad), None, "{bad}");
        }
    }
}
