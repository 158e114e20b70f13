//! Contacts, as the API tells of them.

use onenet_topology::{contact::Contact, site::Site};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::View;

/// Whom to reach at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContactBody {
    /// The site.
    pub site: String,
    /// Its code.
    pub site_code: String,
    /// Its name, in Chinese.
    pub site_name: String,
    /// The person.
    pub name: String,
    /// What he is there; empty where nobody says.
    pub role: String,
    /// His number; empty where there is none.
    pub telephone: String,
    /// His address of mail; empty where there is none.
    pub email: String,
}

/// Whom a notice went to, as he was known when it left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeContactBody {
    /// The person.
    pub name: String,
    /// What he was at the site.
    pub role: String,
    /// His number.
    pub telephone: String,
    /// The address that the notice was mailed to; empty where there was none.
    pub email: String,
}

impl ContactBody {
    pub(crate) fn of(view: &View, site: &Site, contact: &Contact) -> Self {
        let Contact { name, role, telephone, email } = contact.clone();
        Self {
            site: site.id.to_string(),
            site_code: site.code(view.now()).to_owned(),
            site_name: site.name(view.now()).zh.clone(),
            name,
            role,
            telephone,
            email,
        }
    }
}

impl NoticeContactBody {
    pub(crate) fn of(contact: &Contact) -> Self {
        let Contact { name, role, telephone, email } = contact.clone();
        Self { name, role, telephone, email }
    }
}
