//! Contacts (联系人): whom the unit of a site names to be reached, and the file in which people keep them.
//!
//! | column | holds |
//! |---|---|
//! | `site` | the code of the site |
//! | `name` | the person, who stands there once a site |
//! | `role` | what he is there, such as 信息中心主任 |
//! | `telephone` | digits as people write them, such as `0311-8600 0001 转 12` |
//! | `email` | an address of mail |
//!
//! Invariant: a contact can be reached, by telephone or by mail. A file names all contacts of each site in it; sites that it does not
//! name are left alone.
//!
//! It does not know who may read or change them, nor how anybody is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    SiteId, Timestamp,
    csv::{CsvProblem, ImportError, MAX_ERRORS, Table},
    site::SiteTree,
};

/// The columns of the file; the first two must be there.
pub const CONTACT_COLUMNS: [&str; 5] = ["site", "name", "role", "telephone", "email"];
/// Contacts that one site can have.
pub const CONTACTS_MAX: usize = 20;
/// Characters of a name, a role or an address of mail.
pub const CONTACT_CHARS_MAX: usize = 100;
/// Characters of a telephone number, with its extension.
pub const TELEPHONE_CHARS_MAX: usize = 40;

/// A person to be reached at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The person.
    pub name: String,
    /// What he is there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// His number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub telephone: String,
    /// His address of mail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
}

/// A change of the contacts. Stored in the log, so variants and fields are added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactChange {
    /// These are all contacts of a site.
    Set {
        /// The site.
        site: SiteId,
        /// All of them.
        contacts: Vec<Contact>,
    },
    /// A site has this contact, in the place of the one of that name.
    Put {
        /// The site.
        site: SiteId,
        /// The contact.
        contact: Contact,
    },
    /// A site has the contact of this name no more.
    Remove {
        /// The site.
        site: SiteId,
        /// The person.
        name: String,
    },
}

/// The contacts of every site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactBook {
    sites: BTreeMap<SiteId, Vec<Contact>>,
}

/// What is wrong with a contact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContactProblem {
    /// The file is no such table.
    #[error(transparent)]
    Csv(#[from] CsvProblem),
    /// A field that must not be empty is.
    #[error("the field is empty: fill it in")]
    Empty,
    /// It is too long.
    #[error("is longer than {CONTACT_CHARS_MAX} characters: shorten it")]
    TooLong,
    /// It is no number.
    #[error(
        "{0:?} is no telephone number: write one such as 0311-86000001 or +86 311 8600 0001 转 12, in at most {TELEPHONE_CHARS_MAX} characters"
    )]
    Telephone(String),
    /// It is no address.
    #[error("{0:?} is no address of mail: write one such as duty@centre.example")]
    Email(String),
    /// Nobody could reach him.
    #[error("neither a telephone number nor an address of mail is given: give one at least")]
    Unreachable,
    /// No site has this code.
    #[error("no site has the code {0}: import the site first, or correct the code")]
    UnknownSite(String),
    /// Two rows of a site have one name.
    #[error("line {first} has the same person at the same site: keep one row")]
    Repeated {
        /// The earlier line.
        first: usize,
    },
    /// There are too many.
    #[error("a site has at most {CONTACTS_MAX} contacts: name those who are to be told")]
    TooMany,
}

/// Why contacts cannot be changed like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    /// Something is wrong with what is said of one.
    #[error("{0}: {1}")]
    Said(&'static str, ContactProblem),
    /// There is no such person.
    #[error("the site has no contact {0:?}: onenetd sites contacts list shows them")]
    Unknown(String),
}

/// A row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The code of the site.
    pub site: String,
    /// The contact.
    pub contact: Contact,
}

/// What an import comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactImport {
    /// A [`ContactChange::Set`] for each site whose contacts change.
    pub changes: Vec<ContactChange>,
    /// Contacts of the file.
    pub contacts: usize,
    /// Sites whose contacts the book has as the file has them.
    pub unchanged: usize,
}

type RowError = ImportError<ContactProblem>;

/// Reads the file.
///
/// # Errors
/// Everything that is wrong with single rows, with lines and columns.
pub fn parse_contacts_csv(text: &str) -> Result<Vec<ContactRow>, Vec<RowError>> {
    let (required, optional) = CONTACT_COLUMNS.split_at(2);
    let table = Table::parse(text, required, optional)?;
    table.read_rows(|row| {
        // What we write ourselves has an apostrophe before what a spreadsheet would take for a formula: +86 is one.
        let field = |column: &str| {
            let text = table.field(row, column);
            let marked = text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@']));
            marked.unwrap_or(text).to_owned()
        };
        let site = field("site");
        if site.is_empty() {
            return Err(("site", ContactProblem::Empty));
        }
        let contact =
            Contact { name: field("name"), role: field("role"), telephone: field("telephone"), email: field("email") };
        contact.check()?;
        Ok(ContactRow { line: row.line, site, contact })
    })
}

/// Plans what has to change so that the sites of the file have the contacts of the file, in its order. Codes are those of `at`.
///
/// # Errors
/// Every row that the book would refuse, up to [`MAX_ERRORS`].
pub fn plan_import(
    book: &ContactBook,
    tree: &SiteTree,
    rows: &[ContactRow],
    at: Timestamp,
) -> Result<ContactImport, Vec<RowError>> {
    let mut sites: BTreeMap<SiteId, Vec<&ContactRow>> = BTreeMap::new();
    let mut errors = Vec::new();
    for row in rows {
        let error = |column, problem| RowError { line: row.line, column, problem };
        let Some(site) = tree.by_code(&row.site, at) else {
            errors.push(error("site", ContactProblem::UnknownSite(row.site.clone())));
            continue;
        };
        let known = sites.entry(site.id).or_default();
        if let Some(first) = known.iter().find(|it| it.contact.name == row.contact.name) {
            errors.push(error("name", ContactProblem::Repeated { first: first.line }));
        } else if known.len() >= CONTACTS_MAX {
            errors.push(error("site", ContactProblem::TooMany));
        }
        known.push(row);
    }
    if !errors.is_empty() {
        errors.truncate(MAX_ERRORS);
        return Err(errors);
    }
    let mut import = ContactImport { contacts: rows.len(), ..ContactImport::default() };
    for (site, rows) in sites {
        let contacts: Vec<Contact> = rows.into_iter().map(|row| row.contact.clone()).collect();
        if book.of(site) == contacts {
            import.unchanged += 1;
        } else {
            import.changes.push(ContactChange::Set { site, contacts });
        }
    }
    Ok(import)
}

/// Returns whether a text is an address of mail (RFC 5321, 4.1.2) without comments and quotes, which nobody writes into a list.
pub fn is_mail_address(text: &str) -> bool {
    let is_local = |it: u8| it.is_ascii_alphanumeric() || b".!#$%&'*+-/=?^_`{|}~".contains(&it);
    let is_label = |label: &str| {
        let is_of_label = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
        let ends = !label.starts_with('-') && !label.ends_with('-');
        ends && (1..=63).contains(&label.len()) && label.bytes().all(is_of_label)
    };
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        let fits = (1..=64).contains(&local.len()) && local.bytes().all(is_local) && !local.starts_with('-');
        fits && domain.len() <= 253 && domain.split('.').all(is_label)
    })
}

/// Returns whether a text is a telephone number as people write one: digits, with what sets them apart and an extension.
pub fn is_telephone(text: &str) -> bool {
    let is_of_number = |it: char| it.is_ascii_digit() || " +-()（）/,;*#转分机ext.".contains(it);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 3 && text.chars().count() <= TELEPHONE_CHARS_MAX && text.chars().all(is_of_number)
}

impl Contact {
    /// Checks what is said of a contact.
    ///
    /// # Errors
    /// The first column that is wrong, and what is.
    pub fn check(&self) -> Result<(), (&'static str, ContactProblem)> {
        if self.name.trim().is_empty() {
            return Err(("name", ContactProblem::Empty));
        }
        for (column, text) in [("name", &self.name), ("role", &self.role), ("email", &self.email)] {
            if text.chars().count() > CONTACT_CHARS_MAX {
                return Err((column, ContactProblem::TooLong));
            }
        }
        if !self.telephone.is_empty() && !is_telephone(&self.telephone) {
            return Err(("telephone", ContactProblem::Telephone(self.telephone.clone())));
        }
        if !self.email.is_empty() && !is_mail_address(&self.email) {
            return Err(("email", ContactProblem::Email(self.email.clone())));
        }
        if self.telephone.is_empty() && self.email.is_empty() {
            return Err(("telephone", ContactProblem::Unreachable));
        }
        Ok(())
    }
}

impl ContactChange {
    /// Returns whose contacts it changes.
    pub const fn site(&self) -> SiteId {
        match self {
            Self::Set { site, .. } | Self::Put { site, .. } | Self::Remove { site, .. } => *site,
        }
    }
}

impl ContactBook {
    /// Returns the contacts of a site.
    pub fn of(&self, site: SiteId) -> &[Contact] {
        self.sites.get(&site).map(Vec::as_slice).unwrap_or_default()
    }

    /// Makes one change.
    ///
    /// # Errors
    /// It cannot be made; nothing changes then.
    pub fn apply(&mut self, change: &ContactChange) -> Result<(), ContactError> {
        let site = change.site();
        let mut contacts = self.of(site).to_vec();
        match change {
            ContactChange::Set { contacts: all, .. } => contacts.clone_from(all),
            ContactChange::Put { contact, .. } => match contacts.iter_mut().find(|it| it.name == contact.name) {
                Some(known) => known.clone_from(contact),
                None => contacts.push(contact.clone()),
            },
            ContactChange::Remove { name, .. } => {
                let at = contacts.iter().position(|it| it.name == *name);
                contacts.remove(at.ok_or_else(|| ContactError::Unknown(name.clone()))?);
            }
        }
        if contacts.len() > CONTACTS_MAX {
            return Err(ContactError::Said("contacts", ContactProblem::TooMany));
        }
        contacts.iter().try_for_each(|it| it.check().map_err(|(column, why)| ContactError::Said(column, why)))?;
        if contacts.is_empty() {
            self.sites.remove(&site);
        } else {
            self.sites.insert(site, contacts);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{parse_sites_csv, plan_import as plan_sites};

    /// The provinces are sites 1 and 2.
    fn tree() -> SiteTree {
        let rows = "code,name,tier,parent\n000000,部,ministry,\n130000,河北省,province,000000\n320000,江苏省,province,000000\n";
        let (rows, mut next) = (parse_sites_csv(rows).unwrap(), 0..);
        let plan = plan_sites(&SiteTree::default(), &rows, Timestamp::EPOCH, || SiteId::from_raw(next.next().unwrap()));
        let mut tree = SiteTree::default();
        plan.unwrap().changes.iter().try_for_each(|change| tree.apply(change)).unwrap();
        tree
    }

    fn take(book: &mut ContactBook, rows: &str) -> Result<ContactImport, Vec<RowError>> {
        let rows = parse_contacts_csv(&format!("site,name,role,telephone,email\n{rows}"))?;
        let import = plan_import(book, &tree(), &rows, Timestamp::EPOCH)?;
        for change in &import.changes {
            book.apply(change).unwrap();
        }
        Ok(import)
    }

    #[test]
    fn a_file_has_all_contacts_of_its_sites_and_changes_nothing_the_second_time() {
        let mut book = ContactBook::default();
        let both = "130000,王芳,处长,0311-86000001,wang@he.example\n130000,李伟,,+86 311 8600 0002 转 12,\n320000,赵敏,,,zhao@js.example\n";
        let first = take(&mut book, both).unwrap();
        assert_eq!((first.contacts, first.changes.len(), first.unchanged), (3, 2, 0));
        let again = take(&mut book, both).unwrap();
        assert_eq!((again.changes.len(), again.unchanged), (0, 2));
        take(&mut book, "130000,李伟,,0311-86000002,\n").unwrap();
        let names = |id| book.of(SiteId::from_raw(id)).iter().map(|it| it.name.as_str()).collect::<Vec<_>>();
        assert_eq!(
            (names(1), names(2)),
            (vec!["李伟"], vec!["赵敏"]),
            "a site that the file does not name is left alone"
        );
    }

    #[test]
    fn a_contact_is_put_in_the_place_of_its_name_and_removed_by_it() {
        let (mut book, site) = (ContactBook::default(), SiteId::from_raw(1));
        let contact = |telephone: &str| Contact {
            name: "王芳".into(),
            role: String::new(),
            telephone: telephone.into(),
            email: String::new(),
        };
        for telephone in ["0311-86000001", "0311-86000009"] {
            book.apply(&ContactChange::Put { site, contact: contact(telephone) }).unwrap();
        }
        assert_eq!(book.of(site), [contact("0311-86000009")]);
        let remove = |name: &str| ContactChange::Remove { site, name: name.into() };
        assert_eq!(book.apply(&remove("李伟")), Err(ContactError::Unknown("李伟".into())));
        book.apply(&remove("王芳")).unwrap();
        assert_eq!(book, ContactBook::default());
        let many: Vec<Contact> =
            (0..=CONTACTS_MAX).map(|n| Contact { name: n.to_string(), ..contact("110") }).collect();
        assert!(book.apply(&ContactChange::Set { site, contacts: many }).is_err());
        assert_eq!(book, ContactBook::default(), "what is refused changes nothing");
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_line_and_column() {
        let mut book = ContactBook::default();
        for (row, column, says) in [
            ("999999,王芳,,110,", "site", "import the site first"),
            (",王芳,,110,", "site", "fill it in"),
            ("130000,,,110,", "name", "fill it in"),
            ("130000,王芳,,,", "telephone", "one at least"),
            ("130000,王芳,,none,", "telephone", "0311"),
            ("130000,王芳,,,wang@", "email", "duty@centre.example"),
            ("130000,王芳,,,-oQ/tmp@b.example", "email", "duty@centre.example"),
        ] {
            let errors = take(&mut book, row).unwrap_err();
            let said = errors[0].to_string();
            assert!(said.starts_with("line 2") && errors[0].column == column && said.contains(says), "{row}: {said}");
        }
        let errors = take(&mut book, "130000,王芳,,110,\n130000,王芳,,120,\n").unwrap_err();
        assert_eq!((errors[0].line, errors[0].column), (3, "name"));
    }
}
