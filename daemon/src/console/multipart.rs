//! A form that brings a file (RFC 7578, multipart/form-data): its fields one by one, in bounded memory.
//!
//! Invariant: of the form no more is held than a field may have, or what came last of the file; what is not such a form is refused, whatever
//! it is.

use std::pin::Pin;

use axum::{body::Bytes, http::HeaderMap};
use futures_util::{Stream, StreamExt as _, stream};
use hyper::header;

use crate::api::Problem;

/// Bytes of the lines in front of a field.
const HEAD_BYTES_MAX: usize = 4 << 10;
/// Bytes of a field that is no file.
const TEXT_BYTES_MAX: usize = 4 << 10;
/// Fields of a form.
const FIELDS_MAX: usize = 16;
/// Characters of a boundary (RFC 2046, section 5.1.1).
const BOUNDARY_CHARS_MAX: usize = 70;

/// What is sent, part by part.
type Sent = Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>;

/// A form as it comes in.
pub(super) struct Multipart {
    sent: Sent,
    /// What came and was not read yet.
    held: Vec<u8>,
    /// What ends a field.
    delimiter: Vec<u8>,
    /// Whether the delimiter behind a field, or before the first, is still to come.
    within: bool,
    fields: usize,
}

/// What a field is, in front of its content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: String,
    /// What the file is called, where it is one.
    pub(super) file: Option<String>,
    /// Its content type, as it is told.
    pub(super) media: String,
}

impl Multipart {
    /// Begins to read a form.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn new(
        headers: &HeaderMap,
        sent: impl Stream<Item = Result<Bytes, axum::Error>> + Send + 'static,
    ) -> Result<Self, Problem> {
        let told = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
        let (kind, rest) = told.split_once(';').unwrap_or_default();
        let boundary = parameter(rest, "boundary").filter(|it| (1..=BOUNDARY_CHARS_MAX).contains(&it.len()));
        let boundary = boundary.filter(|_| kind.trim().eq_ignore_ascii_case("multipart/form-data"));
        let boundary = boundary.ok_or_else(broken)?;
        // So that the first delimiter is like the others.
        let (held, delimiter) = (b"\r\n".to_vec(), format!("\r\n--{boundary}").into_bytes());
        Ok(Self { sent: Box::pin(sent), held, delimiter, within: true, fields: 0 })
    }

    /// Goes to the next field; `None` at the end. What was not read of the last one is passed over where it is small.
    ///
    /// # Errors
    /// The form is broken.
    pub(super) async fn field(&mut self) -> Result<Option<Field>, Problem> {
        self.fields += 1;
        if self.fields > FIELDS_MAX {
            return Err(broken());
        }
        if self.within {
            self.text().await?;
        }
        let head = loop {
            if self.held.starts_with(b"--") {
                return Ok(None);
            }
            if let Some(at) = find(&self.held, b"\r\n\r\n") {
                let mut head = self.held.split_off(at + 4);
                std::mem::swap(&mut head, &mut self.held);
                self.within = true;
                break head;
            }
            if self.held.len() > HEAD_BYTES_MAX {
                return Err(broken());
            }
            self.more().await?;
        };
        let head = String::from_utf8(head).map_err(|_| broken())?;
        let value = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(known, _)| known.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let (_, of) = value("content-disposition").and_then(|it| it.split_once(';')).ok_or_else(broken)?;
        let name = parameter(of, "name").ok_or_else(broken)?;
        let media = value("content-type").unwrap_or_default().to_owned();
        Ok(Some(Field { name, file: parameter(of, "filename"), media }))
    }

    /// Returns the content of a field that is no file.
    ///
    /// # Errors
    /// It is too long, or the form is broken.
    pub(super) async fn text(&mut self) -> Result<String, Problem> {
        loop {
            if let Some(at) = find(&self.held, &self.delimiter) {
                let rest = self.held.split_off(at + self.delimiter.len());
                let mut content = std::mem::replace(&mut self.held, rest);
                content.truncate(at);
                self.within = false;
                return String::from_utf8(content).map_err(|_| broken());
            }
            if self.held.len() > TEXT_BYTES_MAX {
                return Err(broken());
            }
            self.more().await?;
        }
    }

    /// Returns the content of a file, part by part, to its end.
    pub(super) fn file(&mut self) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
        stream::try_unfold((self, false), async |(form, ended)| {
            if ended {
                return Ok(None);
            }
            loop {
                if let Some(at) = find(&form.held, &form.delimiter) {
                    let rest = form.held.split_off(at + form.delimiter.len());
                    let mut content = std::mem::replace(&mut form.held, rest);
                    content.truncate(at);
                    form.within = false;
                    return Ok(Some((Bytes::from(content), (form, true))));
                }
                // The delimiter may have begun.
                let whole = form.held.len().saturating_sub(form.delimiter.len());
                if whole > 0 {
                    let rest = form.held.split_off(whole);
                    let content = std::mem::replace(&mut form.held, rest);
                    return Ok(Some((Bytes::from(content), (form, false))));
                }
                form.more().await.map_err(|problem| std::io::Error::other(problem.detail))?;
            }
        })
    }

    /// Returns what is still to come, to be passed over.
    pub(super) fn rest(&mut self) -> &mut Sent {
        &mut self.sent
    }

    async fn more(&mut self) -> Result<(), Problem> {
        let part = self.sent.next().await.and_then(Result::ok).ok_or_else(broken)?;
        self.held.extend_from_slice(&part);
        Ok(())
    }
}

fn broken() -> Problem {
    Problem::body("the form broke off, or is none with a file: send it again")
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(within, what)
}

/// Returns a parameter of a header, without its quotes. Browsers write a quotation mark in a name as `%22`.
fn parameter(of: &str, name: &str) -> Option<String> {
    let mut rest = of;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_start_matches([';', ' ', '\t']).trim();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(';').unwrap_or((after, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value.trim().replace("%22", "\""));
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "--xyz\r\ncontent-disposition: form-data; name=\"form\"\r\n\r\nsecret\r\n--xyz\r\nContent-Disposition: form-data; \
        name=\"file\"; filename=\"照片 1.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nab\r\n--xy\r\n-c\r\n--xyz--\r\n";

    fn form(text: &str, step: usize, told: &str) -> Result<Multipart, Problem> {
        let parts: Vec<_> = text.as_bytes().chunks(step).map(|it| Ok(Bytes::copy_from_slice(it))).collect();
        let headers = [(header::CONTENT_TYPE, told.parse().unwrap())].into_iter().collect();
        Multipart::new(&headers, stream::iter(parts))
    }

    #[tokio::test]
    async fn a_form_is_read_however_it_is_cut() {
        for step in 1..FORM.len() {
            let mut form = form(FORM, step, "multipart/form-data; boundary=\"xyz\"").unwrap();
            let field = form.field().await.unwrap().unwrap();
            assert_eq!((field.name.as_str(), field.file.as_deref()), ("form", None));
            assert_eq!(form.text().await.unwrap(), "secret");
            let field = form.field().await.unwrap().unwrap();
            assert_eq!((field.file.as_deref(), field.media.as_str()), (Some("照片 1.jpg"), "image/jpeg"));
            let content: Vec<u8> = form.file().map(Result::unwrap).collect::<Vec<_>>().await.concat();
            assert_eq!(content, b"ab\r\n--xy\r\n-c", "{step}");
            assert_eq!(form.field().await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn what_is_no_such_form_or_breaks_off_is_refused() {
        for told in
            ["text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=x"]
        {
            assert!(form(FORM, 9, told).is_err(), "{told}");
        }
        let told = "multipart/form-data; boundary=xyz";
        let cut = FORM.find("-c\r\n").unwrap();
        let mut broken_off = form(&FORM[..cut], 9, told).unwrap();
        while broken_off.field().await.is_ok_and(|field| field.is_some_and(|it| it.file.is_none())) {}
        assert!(broken_off.file().any(async |part| part.is_err()).await);
        let mut endless = form(&"x".repeat(9_000), 500, told).unwrap();
        assert!(endless.field().await.is_err());
    }
}
