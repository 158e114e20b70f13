//! One box for whatever somebody knows of a thing: sites by name, pinyin or code, devices by name, address or serial, endpoints
//! by address or name, assets by number.
//!
//! Invariant: what the reader's view does not show is neither found nor counted. The code of a site and a single hit are gone to
//! at once; beyond that a group shows at most [`GROUP_MAX`], those first that fit best.
//!
//! It does not know how an endpoint fits a text: the API's search does.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use onenet_topology::{EndpointId, MacAddr, SiteId, asset::Asset, device::Device, endpoint::Endpoint, site::Site};

use super::{
    Reader, layout, names, parameter, parts, search,
    text::{self, Text, fill},
};
use crate::{
    access::{Action, View},
    api::{Problem, QUERY_CHARS_MAX, Query, Wanted, body::told, encode, find},
    estate::SiteState,
};

/// Things of a group that a page shows.
const GROUP_MAX: usize = 20;

/// What a search leads to.
enum Outcome {
    /// To a list.
    Page(Markup),
    /// To the address of the one thing that is meant.
    Place(String),
}

/// How well a thing fits a text, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is called that.
    Whole,
    /// What it is called begins so.
    Start,
    /// What it is called contains it.
    Part,
}

/// What fits.
struct Hits<'v> {
    sites: Vec<&'v Site>,
    devices: Vec<(&'v SiteState, &'v Device)>,
    /// At most one more than are shown.
    endpoints: Vec<(&'v SiteState, &'v Arc<Endpoint>)>,
    assets: Vec<&'v Asset>,
}

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    match sought(&reader) {
        Ok(Outcome::Place(address)) => Redirect::to(&address).into_response(),
        Ok(Outcome::Page(page)) => reader.answer(Ok(page)),
        Err(problem) => reader.answer(Err(problem)),
    }
}

fn sought(reader: &Reader) -> Result<Outcome, Problem> {
    let view = reader.gate.anywhere(Action::ReadSites)?;
    let text: String = parameter(reader.query(), "q").unwrap_or_default().chars().take(QUERY_CHARS_MAX).collect();
    let text = text.trim();
    if text.is_empty() {
        return Ok(Outcome::Place("/endpoints".to_owned()));
    }
    if let Some(site) = view.find_site(text) {
        return Ok(Outcome::Place(format!("/sites/{}", site.id)));
    }
    let query = Query::new(text);
    let wanted =
        Wanted { query, root: None, present: None, class: None, registered: None, retired: false, after: None };
    let squeezed = squeeze(text);
    let hits = Hits {
        sites: sites(&view, &squeezed),
        devices: devices(&view, &squeezed),
        endpoints: find(&view, &wanted).take(GROUP_MAX + 1).collect(),
        assets: assets(&view, &squeezed),
    };
    Ok(match hits.only(&view, text) {
        Some(address) => Outcome::Place(address),
        None => Outcome::Page(shown(reader, &view, text, &hits)),
    })
}

/// Returns the site that a text names: by id or code, or by a name that no other site has.
pub(super) fn site_named<'v>(view: &'v View, text: &str) -> Option<&'v Site> {
    let squeezed = squeeze(text);
    let named = || {
        let mut all = view.sites().filter(|site| site_fit(view, site, &squeezed) == Some(Fit::Whole));
        all.next().filter(|_| all.next().is_none())
    };
    view.find_site(text.trim()).or_else(named)
}

impl Hits<'_> {
    /// Returns the address of what is meant, where that is one thing.
    fn only(&self, view: &View, text: &str) -> Option<String> {
        let endpoint = |id: EndpointId| format!("/endpoints/{id}");
        // What has this very card is meant, and the asset of that card is the same machine.
        let mac = text.parse::<MacAddr>().ok();
        match (self.sites.as_slice(), self.devices.as_slice(), self.endpoints.as_slice(), self.assets.as_slice()) {
            ([site], [], [], []) => Some(format!("/sites/{}", site.id)),
            ([], [(_, device)], [], []) => Some(format!("/devices/{}", device.id)),
            ([], [], [(_, one)], []) => Some(endpoint(one.id)),
            ([], [], [(_, one)], [_]) if mac == Some(one.mac) => Some(endpoint(one.id)),
            ([], [], [], [asset]) => seen_as(view, asset).map(endpoint),
            _ => None,
        }
    }

    const fn is_empty(&self) -> bool {
        self.sites.is_empty() && self.devices.is_empty() && self.endpoints.is_empty() && self.assets.is_empty()
    }
}

/// Returns a text as it is compared: in lower case, without blanks.
fn squeeze(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// Returns how well the best of several names fits.
fn fit<'n>(names: impl IntoIterator<Item = &'n str>, squeezed: &str) -> Option<Fit> {
    let of = |name: &str| {
        let name = squeeze(name);
        match name.find(squeezed)? {
            0 if name.len() == squeezed.len() => Some(Fit::Whole),
            0 => Some(Fit::Start),
            _ => Some(Fit::Part),
        }
    };
    names.into_iter().filter_map(of).min()
}

fn site_fit(view: &View, site: &Site, squeezed: &str) -> Option<Fit> {
    let name = site.name(view.now());
    fit([name.zh.as_str(), &name.latin, &names::latin(name), site.code(view.now())], squeezed)
}

fn sites<'v>(view: &'v View, squeezed: &str) -> Vec<&'v Site> {
    let mut found: Vec<(Fit, &Site)> =
        view.sites().filter_map(|site| Some((site_fit(view, site, squeezed)?, site))).collect();
    found.sort_by_key(|(fit, site)| (*fit, site.tier, site.code(view.now())));
    found.into_iter().map(|(_, site)| site).collect()
}

fn devices<'v>(view: &'v View, squeezed: &str) -> Vec<(&'v SiteState, &'v Device)> {
    let all = view.inventories(SiteId::from_raw(0));
    let all = all.flat_map(|state| state.devices.values().map(move |device| (state, device.as_ref())));
    let mut found: Vec<_> =
        all.filter_map(|(state, device)| Some((device_fit(state, device, squeezed)?, state, device))).collect();
    found.sort_by_cached_key(|(fit, state, device)| (*fit, parts::natural(device.name()), state.id));
    found.into_iter().map(|(_, state, device)| (state, device)).collect()
}

fn device_fit(state: &SiteState, device: &Device, squeezed: &str) -> Option<Fit> {
    let addresses: Vec<String> =
        told::own_addresses(state, device).into_iter().map(|address| address.ip.to_string()).collect();
    let names = device.handles.iter().map(|handle| handle.scope.as_str()).chain([device.name()]);
    let targets = device.answering.iter().map(|it| it.reach.target.as_str());
    let serials = device.entities.iter().map(|part| part.serial.as_str());
    let recognised = state.identification(device).map(|it| it.serial);
    let known =
        names.chain(targets).chain(serials).chain(recognised.as_deref()).chain(addresses.iter().map(String::as_str));
    fit(known, squeezed)
}

fn assets<'v>(view: &'v View, squeezed: &str) -> Vec<&'v Asset> {
    let of = |asset: &Asset| {
        let macs: Vec<String> = asset.macs.iter().map(ToString::to_string).collect();
        let words = [asset.number.as_str(), &asset.name, &asset.owner].into_iter();
        fit(words.chain(macs.iter().map(String::as_str)), squeezed)
    };
    let mut found: Vec<(Fit, &Asset)> = view.books().filter_map(|asset| Some((of(asset)?, asset))).collect();
    found.sort_by(|(one, a), (two, b)| (one, &a.number, a.id).cmp(&(two, &b.number, b.id)));
    found.into_iter().map(|(_, asset)| asset).collect()
}

/// Returns the endpoint at the asset's own site that has one of its cards.
fn seen_as(view: &View, asset: &Asset) -> Option<EndpointId> {
    let state = view.inventory(asset.site)?;
    asset.macs.iter().find_map(|mac| state.endpoint_by_mac(*mac)).map(|endpoint| endpoint.id)
}

fn shown(reader: &Reader, view: &View, text: &str, hits: &Hits<'_>) -> Markup {
    let title = reader.say(text::SEARCH_RESULTS);
    let content = html! {
        h1 { (title) ": " span.query { (text) } }
        @if hits.is_empty() { p.calm { (fill(reader.say(text::NOTHING_FOUND), text)) } }
        (group(reader, text::SITES, &hits.sites, |shown| site_table(reader, view, shown)))
        (group(reader, text::DEVICES, &hits.devices, |shown| device_table(reader, view, shown)))
        (group(reader, text::ENDPOINTS, &hits.endpoints, |shown| search::table(reader, view, shown, true)))
        @if hits.endpoints.len() > GROUP_MAX {
            p { a.next href=(format!("/endpoints?q={}", encode(text))) { (reader.say(text::ALL_OF_THESE)) } }
        }
        (group(reader, text::ASSETS, &hits.assets, |shown| asset_table(reader, view, shown)))
    };
    layout::page(reader, view, title, text, &content)
}

/// The first of what was found of a sort, under its name; nothing where nothing was.
fn group<T>(reader: &Reader, name: Text, found: &[T], table: impl FnOnce(&[T]) -> Markup) -> Markup {
    let shown = found.get(..GROUP_MAX).unwrap_or(found);
    html! {
        @if !found.is_empty() {
            h2 {
                (reader.say(name)) " "
                span.sub { @if found.len() > shown.len() { (shown.len()) "+" } @else { (found.len()) } }
            }
            (table(shown))
        }
    }
}

fn site_table(reader: &Reader, view: &View, sites: &[&Site]) -> Markup {
    html! {
        div.scroll {
            table {
                (parts::head(reader, &[text::SITE, text::TIER, text::PART_OF, text::CODE], 0))
                tbody {
                    @for site in sites {
                        tr {
                            th scope="row" { (parts::site_link(reader, view, site)) }
                            td { (parts::tier(reader, view, site)) }
                            td {
                                @for (at, above) in view.path(site.id).iter().filter(|it| it.id != site.id).enumerate() {
                                    @if at > 0 { span.of { " › " } }
                                    (parts::site_name(reader.language, above.name(view.now())))
                                }
                            }
                            td.code { (site.code(view.now())) }
                        }
                    }
                }
            }
        }
    }
}

fn device_table(reader: &Reader, view: &View, devices: &[(&SiteState, &Device)]) -> Markup {
    html! {
        div.scroll {
            table {
                (parts::head(reader, &[text::DEVICE, text::STATE, text::SITE, text::ADDRESS], 0))
                tbody {
                    @for (state, device) in devices {
                        tr {
                            th scope="row" { a href=(format!("/devices/{}", device.id)) { (device.name()) } }
                            td { (parts::standing(reader, view.device_standing(device).0)) }
                            td { (parts::site_link_of(reader, view, state.id)) }
                            td.mono { (parts::or_dash(device.answering.first().map(|it| it.reach.target.as_str()))) }
                        }
                    }
                }
            }
        }
    }
}

fn asset_table(reader: &Reader, view: &View, assets: &[&Asset]) -> Markup {
    let columns = [text::ASSET_NUMBER, text::NAME, text::MAC, text::OWNER, text::LOCATION, text::SITE];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 0))
                tbody {
                    @for asset in assets {
                        tr {
                            th scope="row" { (asset.number) }
                            td { (parts::or_dash(Some(&asset.name))) }
                            td.mono {
                                @for (at, mac) in asset.macs.iter().enumerate() {
                                    @if at > 0 { br; }
                                    a href=(format!("/endpoints?q={mac}")) { (mac) }
                                }
                            }
                            td { (parts::or_dash(Some(&asset.owner))) }
                            td { (parts::or_dash(Some(&asset.location))) }
                            td { (parts::site_link_of(reader, view, asset.site)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_however_it_is_spaced_and_the_whole_one_fits_best() {
        let of = |name: &str, text: &str| fit([name], &squeeze(text));
        assert_eq!(of("永宁县", "永宁县"), Some(Fit::Whole));
        assert_eq!(of("Yongningxian", "yong ning"), Some(Fit::Start));
        assert_eq!(of("大武口区（演示）", "武口"), Some(Fit::Part));
        assert_eq!(of("永宁县", "永宁区"), None);
        assert!(Fit::Whole < Fit::Start && Fit::Start < Fit::Part);
    }
}
