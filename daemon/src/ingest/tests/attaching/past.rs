//! What is kept of moves, so that the past can be shown.

use std::sync::Arc;

use onenet_topology::picture::{Alteration, Face, Picture, Thing};

use super::*;

impl Switch {
    fn kept(&self) -> Vec<Alteration> {
        let altered = self.world.changes.iter().filter_map(|change| match change {
            Change::Altered { alterations, .. } => Some(alterations.clone()),
            _ => None,
        });
        altered.flatten().collect()
    }

    fn picture(&self) -> Picture {
        let state = self.world.estate.site(self.site).unwrap();
        Picture::of(state.devices.values(), state.known_endpoints(), &state.links)
    }

    /// The ifName of the port where a picture has an endpoint.
    fn port_in(&self, picture: &Picture, last: u8) -> Option<String> {
        let state = self.world.estate.site(self.site).unwrap();
        let id = state.endpoint_by_mac(mac(last))?.id;
        match picture.face(&Thing::Endpoint(id))? {
            Face::Endpoint { at: Some(Where::Port(place)), .. } => {
                Some(state.interface(place.device, place.interface)?.said.name.clone())
            }
            other => Some(format!("{other:?}")),
        }
    }
}

#[test]
fn a_picture_of_the_past_has_each_endpoint_where_it_was_then() {
    let mut it = Switch::new();
    it.learns(&[(1, 1), (2, 2)]);
    it.settle();
    let (before, picture) = (it.world.now, it.picture());
    assert_eq!(it.kept(), [], "what is new is no change");
    it.forgets(1, 1);
    it.forgets(2, 2);
    it.move_to(&[(1, 3), (2, 3)]);
    assert_eq!((it.port_of(1).as_deref(), it.port_of(2).as_deref()), (Some("ge3"), Some("ge3")));
    let past = it.picture().as_of(before, &it.kept());
    assert_eq!((it.port_in(&past, 1).as_deref(), it.port_in(&past, 2).as_deref()), (Some("ge1"), Some("ge2")));
    assert_eq!(past, picture);
}

#[test]
fn changes_of_one_record_have_places_of_their_own_in_the_store() {
    let mut it = Switch::new();
    it.learns(&[(1, 1), (2, 2)]);
    it.settle();
    it.forgets(1, 1);
    it.forgets(2, 2);
    it.move_to(&[(1, 3), (2, 3)]);
    let directory = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(directory.path()).unwrap();
    store.commit(&it.world.changes).unwrap();
    let all = [Timestamp::from_unix_ms(i64::MIN), Timestamp::from_unix_ms(i64::MAX)];
    assert_eq!(it.kept().len(), 2);
    let mut read = store.alterations(it.site, all, 100).unwrap();
    read.sort_by_key(|it| it.thing.clone());
    assert_eq!(read, it.kept());
    // An export carries them on.
    let mut exported = Vec::new();
    store.export(&store.load().unwrap(), &mut exported).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = crate::store::Store::open(elsewhere.path()).unwrap();
    copy.import(exported.as_slice()).unwrap();
    assert_eq!(copy.alterations(it.site, all, 100).unwrap(), store.alterations(it.site, all, 100).unwrap());
    assert_eq!(store.expire_alterations([it.site].into_iter(), it.world.now.plus_ms(1)).unwrap(), 2);
    assert_eq!(store.alterations(it.site, all, 100).unwrap(), []);
}

#[test]
fn who_is_forgotten_leaves_a_trace_and_a_flood_of_changes_does_not_fill_the_disk() {
    let mut it = Switch::new();
    it.learns(&[(1, 1)]);
    it.settle();
    let state = it.world.estate.site(it.site).unwrap().clone();
    let endpoint = Endpoint::clone(state.endpoint_by_mac(mac(1)).unwrap());
    let record = Record { position: it.world.estate.position + 1, time: it.world.now, body: Body::Tick };
    let mut estate = it.world.estate.clone();
    let mut kept = 0;
    // 15,000 times it goes and comes back on one day: of 30,000 changes those are kept that fit.
    for _ in 0..15_000 {
        for retired_since in [Some(it.world.now), None] {
            let endpoint = Arc::new(Endpoint { retired_since, ..endpoint.clone() });
            let change = Change::Endpoint { site: it.site, endpoint };
            if let Some(alterations) = crate::ingest::plan::altered_by(&estate, &record, &change) {
                kept += alterations.len();
                estate.apply(&Change::Altered { position: 1, ordinal: 0, site: it.site, alterations });
            }
            estate.apply(&change);
        }
    }
    assert_eq!(kept, 20_000);
}
