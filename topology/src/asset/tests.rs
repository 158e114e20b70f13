use super::*;
use crate::{
    csv::ImportError,
    division,
    site::{SiteTree, parse_sites_csv, plan_import as plan_sites},
};

const START: Timestamp = Timestamp::from_unix_ms(1_000_000);

fn later(days: i64) -> Timestamp {
    START.plus_ms(days * 86_400_000)
}

fn country() -> SiteTree {
    let mut next = 0;
    let rows = parse_sites_csv(division::csv()).unwrap();
    let plan = plan_sites(&SiteTree::default(), &rows, Timestamp::EPOCH, || {
        next += 1;
        SiteId::from_raw(next)
    });
    let mut tree = SiteTree::default();
    for change in plan.unwrap().changes {
        tree.apply(&change).unwrap();
    }
    tree
}

/// A register that takes files in.
struct Books {
    tree: SiteTree,
    register: AssetRegister,
    next: u64,
}

impl Books {
    fn new() -> Self {
        Self { tree: country(), register: AssetRegister::default(), next: 0 }
    }

    fn take(
        &mut self,
        csv: &str,
        from: Timestamp,
        complete: bool,
    ) -> Result<AssetImport, Vec<ImportError<AssetImportProblem>>> {
        let rows = parse_assets_csv(csv)?;
        let import = plan_import(&self.register, &self.tree, &rows, from, complete, || {
            self.next += 1;
            AssetId::from_raw(self.next)
        })?;
        for change in &import.changes {
            self.register.apply(change).unwrap();
        }
        Ok(import)
    }

    fn by_mac(&self, mac: &str, at: Timestamp) -> Option<&Asset> {
        self.register.by_mac(mac.parse().unwrap(), at)
    }

    fn site(&self, code: &str) -> SiteId {
        self.tree.by_code(code, START).unwrap().id
    }
}

#[test]
fn a_file_that_is_imported_again_changes_nothing() {
    let file = "number,site,mac,ip,class,name,owner,location\n\
                A-1,130102,00-1B-21-00-00-01; 001b-2100-0002,,pc,Front desk,Office,Room 3\n\
                A-2,130102,,10.1.1.7,server,,,\n";
    let mut books = Books::new();
    let first = books.take(file, START, false).unwrap();
    assert_eq!((first.added, first.changed, first.unchanged), (2, 0, 0));
    let again = books.take(file, later(3), false).unwrap();
    assert_eq!((again.added, again.changed, again.unchanged, again.changes.len()), (0, 0, 2, 0));
    let dock = books.by_mac("00:1b:21:00:00:02", START).unwrap();
    assert_eq!((dock.number.as_str(), dock.macs.len(), dock.location.as_str()), ("A-1", 2, "Room 3"));
    assert!(books.by_mac("00:1b:21:00:00:02", START.plus_ms(-1)).is_none(), "it was not on the books before");
}

#[test]
fn a_machine_that_goes_to_another_unit_keeps_its_identity() {
    let mut books = Books::new();
    books.take("number,site,mac\nA-1,130102,00:1b:21:00:00:01\n", START, false).unwrap();
    let id = books.by_mac("00:1b:21:00:00:01", START).unwrap().id;
    let moved = books.take("number,site,mac\nB-9,130104,00:1b:21:00:00:01\n", later(1), false).unwrap();
    assert_eq!((moved.added, moved.changed), (0, 1));
    let asset = books.register.get(id).unwrap();
    assert_eq!((asset.number.as_str(), asset.site), ("B-9", books.site("130104")));
    assert_eq!(books.register.of_site(books.site("130102"), later(2)).count(), 0);
}

#[test]
fn two_machines_that_exchange_their_cards_keep_their_numbers() {
    let mut books = Books::new();
    let (one, two) = ("00:1b:21:00:00:01", "00:1b:21:00:00:02");
    books.take(&format!("number,site,mac\nA-1,130102,{one}\nA-2,130102,{two}\n"), START, false).unwrap();
    books.take(&format!("number,site,mac\nA-1,130102,{two}\nA-2,130102,{one}\n"), later(1), false).unwrap();
    assert_eq!(books.by_mac(one, later(1)).unwrap().number, "A-2");
    assert_eq!(books.by_mac(two, later(1)).unwrap().number, "A-1");
}

#[test]
fn a_complete_file_writes_off_what_it_does_not_name_and_only_at_its_sites() {
    let mut books = Books::new();
    let all =
        "number,site,mac\nA-1,130102,00:1b:21:00:00:01\nA-2,130102,00:1b:21:00:00:02\nB-1,130104,00:1b:21:00:00:03\n";
    books.take(all, START, false).unwrap();
    let rest = "number,site,mac\nA-1,130102,00:1b:21:00:00:01\n";
    let left = books.take(rest, later(1), false).unwrap();
    assert_eq!((left.absent, left.written_off), (1, 0));
    let gone = books.take(rest, later(1), true).unwrap();
    assert_eq!((gone.absent, gone.written_off), (0, 1));
    assert!(books.by_mac("00:1b:21:00:00:02", later(1)).is_none());
    assert!(books.by_mac("00:1b:21:00:00:02", START).is_some(), "the past stays");
    assert!(books.by_mac("00:1b:21:00:00:03", later(1)).is_some(), "another site's asset");
}

#[test]
fn a_card_of_a_machine_that_keeps_it_is_refused_and_one_that_was_written_off_is_not() {
    let mut books = Books::new();
    books.take("number,site,mac\nA-1,130102,00:1b:21:00:00:01\nA-2,130102,00:1b:21:00:00:02\n", START, false).unwrap();
    let both = "number,site,mac\nA-2,130102,00:1b:21:00:00:02 00:1b:21:00:00:01\n";
    let errors = books.take(both, later(2), false).unwrap_err();
    let said = errors[0].to_string();
    assert!(said.starts_with("line 2, column mac: ") && said.contains("A-1") && said.contains("until"), "{said}");
    books.take("number,site,mac,from,until\nA-1,130102,00:1b:21:00:00:01,,1970-01-03\n", later(1), false).unwrap();
    let taken = books.take(both, later(3), false).unwrap();
    assert_eq!(taken.changed, 1);
    assert_eq!(books.by_mac("00:1b:21:00:00:01", later(3)).unwrap().number, "A-2");
}

#[test]
fn everything_that_is_wrong_is_listed_with_its_place_and_the_remedy() {
    let mut books = Books::new();
    let cases = [
        ("A-1,130102,,,,", "column mac", "cannot be recognised"),
        (",130102,00:1b:21:00:00:01,,,", "column number", "fill it in"),
        ("A-1,,00:1b:21:00:00:01,,,", "column site", "fill it in"),
        ("A-1,999999,00:1b:21:00:00:01,,,", "column site", "import the site first"),
        ("A-1,130102,00:1b:21:00:00,,,", "column mac", "six pairs"),
        ("A-1,130102,ff:ff:ff:ff:ff:ff,,,", "column mac", "not of a card"),
        ("A-1,130102,,10.1.1,,", "column ip", "10.13.1.7"),
        ("A-1,130102,00:1b:21:00:00:01,,laptop,", "column class", "pc, server"),
        ("A-1,130102,00:1b:21:00:00:01,,,soon", "column until", "2026-01-31"),
        ("A-1,130102,00:1b:21:00:00:01,,,1970-01-01", "column until", "correct the dates"),
    ];
    for (row, place, remedy) in cases {
        let errors = books.take(&format!("number,site,mac,ip,class,until\n{row}\n"), later(1), false).unwrap_err();
        let said = errors[0].to_string();
        assert!(said.starts_with(&format!("line 2, {place}: ")) && said.contains(remedy), "{said}");
    }
    for (second, remedy) in [("A-1,130102,00:1b:21:00:00:02", "line 2"), ("A-2,130102,00:1b:21:00:00:01", "line 2")] {
        let file = format!("number,site,mac\nA-1,130102,00:1b:21:00:00:01\n{second}\n");
        let said = books.take(&file, START, false).unwrap_err()[0].to_string();
        assert!(said.starts_with("line 3, ") && said.contains(remedy), "{said}");
    }
    assert!(books.register.is_empty(), "a file that is refused changes nothing");
}

#[test]
fn an_asset_cannot_be_written_off_before_it_is_on_the_books() {
    let mut books = Books::new();
    books.take("number,site,mac\nA-1,130102,00:1b:21:00:00:01\n", START, false).unwrap();
    let id = books.by_mac("00:1b:21:00:00:01", START).unwrap().id;
    let before = books.register.clone();
    let refused = books.register.apply(&AssetChange::WriteOff { asset: id, from: START });
    assert_eq!(refused, Err(AssetError::BeforeItsTime { asset: id, from: START }));
    let unknown = AssetId::from_raw(99);
    let refused = books.register.apply(&AssetChange::WriteOff { asset: unknown, from: later(1) });
    assert_eq!(refused, Err(AssetError::Unknown(unknown)));
    assert_eq!(books.register, before);
}
