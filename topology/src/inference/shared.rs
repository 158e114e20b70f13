//! The ways between two devices, from the addresses that both have learned.
//!
//! In a tree, every address that two devices have learned is at the port of the first that leads to the second, or at the port
//! of the second that leads to the first: whoever is beside the way is seen along it by the other. So among all pairs
//! (port of the first, port of the second) the addresses fill one row and one column, and the row and the column that
//! hold the most are the two ports (Lowekamp 2001, with a count instead of a proof, so that a few rows may be wrong). An
//! address that all devices have, an anchor, makes sure that no table is empty.
//!
//! Invariant: a port is named only when the addresses that no other port explains outnumber those that nothing explains.

use super::index::{DeviceIndex, PortIndex};

/// Comparisons of rows in all pairs of devices; beyond, hosts are not compared at all: half a second of CPU time.
const WORK_MAX: usize = 400_000_000;

/// Hosts of a device of which at least one would be on the port that leads to it.
/// A walk that loses a third of its rows loses all of six once in a thousand times.
const BESIDE_MIN: usize = 6;

/// For each of two devices the port that leads to the other, and how many addresses only that port explains.
pub(super) type Sides = [Option<(PortIndex, usize)>; 2];

/// No row.
const NONE: u32 = u32::MAX;
/// Rows at several ports.
const SEVERAL: u32 = u32::MAX - 1;

/// Where each device has learned each address.
#[derive(Debug, Default)]
pub(super) struct Shared {
    addresses: usize,
    /// By device and address, the place of the port in `ports` of the device.
    rows: Vec<Vec<u32>>,
    /// The ports of each device that have rows.
    ports: Vec<Vec<PortIndex>>,
}

/// An address that a device has learned at one port.
#[derive(Debug, Clone, Copy)]
pub(super) struct Learned {
    address: usize,
    /// Of the port, in `ports` of the device.
    place: usize,
}

/// Counts of the pair at hand.
#[derive(Debug, Default)]
struct Counts {
    /// By port of the first and port of the second.
    cells: Vec<u32>,
    touched: Vec<usize>,
    rows: Vec<u32>,
    columns: Vec<u32>,
}

impl Shared {
    pub(super) fn new(devices: usize, addresses: usize) -> Self {
        Self { addresses, rows: vec![vec![NONE; addresses]; devices], ports: vec![Vec::new(); devices] }
    }

    /// Adds that a device has learned an address at a port.
    pub(super) fn add(&mut self, device: DeviceIndex, address: usize, port: PortIndex) {
        let (Some(rows), Some(ports)) = (self.rows.get_mut(device), self.ports.get_mut(device)) else { return };
        // Ports come in their order or not, but are few.
        let place = ports.iter().rposition(|known| *known == port).unwrap_or_else(|| {
            ports.push(port);
            ports.len() - 1
        });
        let place = u32::try_from(place).unwrap_or(SEVERAL);
        if let Some(row) = rows.get_mut(address) {
            *row = if *row == NONE || *row == place { place } else { SEVERAL };
        }
    }

    /// Calls `found` with what the shared addresses of each two devices say.
    pub(super) fn each_pair(&self, mut found: impl FnMut(DeviceIndex, DeviceIndex, Sides)) {
        let devices = self.rows.len();
        if devices.saturating_mul(devices) / 2 * self.addresses > WORK_MAX {
            return;
        }
        let mut counts = Counts::default();
        for one in 0..devices {
            for other in one + 1..devices {
                self.count(one, other, &mut counts);
                let sides = counts.sides();
                let named = |device: DeviceIndex, side: Option<(usize, usize)>| {
                    let (place, hosts) = side?;
                    Some((self.ports.get(device)?.get(place).copied()?, hosts))
                };
                found(one, other, [named(one, sides[0]), named(other, sides[1])]);
            }
        }
    }

    /// Returns for each device the addresses that it has learned at one port, and the place of that port: few beside all there are, of
    /// most devices of a large site.
    pub(super) fn learned(&self) -> Vec<Vec<Learned>> {
        let of = |rows: &Vec<u32>| {
            let named = rows.iter().enumerate().filter(|(_, place)| **place < SEVERAL);
            named.map(|(address, place)| Learned { address, place: *place as usize }).collect()
        };
        self.rows.iter().map(of).collect()
    }

    /// Returns whether `far`, which has learned `there`, may be behind any port of `device`, as far as addresses tell: they have some in
    /// common, and those that `far` has beside its way to `device` are too few, or do not agree. Whoever is behind a port has its hosts
    /// there, since they talk past the device as much as any. `way` is the port of `far` that leads to `device`, where it is known,
    /// else the one with most of what they have in common is taken.
    pub(super) fn may_be_behind_any(
        &self,
        device: DeviceIndex,
        (far, there): (DeviceIndex, &[Learned]),
        way: Option<PortIndex>,
    ) -> bool {
        let Some(here) = self.rows.get(device) else { return false };
        let is_here = |it: &Learned| here.get(it.address).is_some_and(|place| *place < SEVERAL);
        let ports = self.ports.get(far).map_or(&[][..], Vec::as_slice);
        let mut common = vec![0_usize; ports.len()];
        for it in there.iter().filter(|it| is_here(it)) {
            if let Some(common) = common.get_mut(it.place) {
                *common += 1;
            }
        }
        let most = (0..).zip(&common).zip(ports).max_by_key(|((_, common), port)| (**common, **port));
        let Some(((most, _), _)) = most.filter(|((_, common), _)| **common > 0) else { return false };
        let way = way.and_then(|way| ports.iter().position(|port| *port == way)).unwrap_or(most);
        let (mut few, mut any) = (0, false);
        for it in there.iter().filter(|it| it.place != way) {
            few += 1;
            any |= is_here(it);
        }
        few < BESIDE_MIN || any
    }

    fn count(&self, one: DeviceIndex, other: DeviceIndex, counts: &mut Counts) {
        let size = |device: DeviceIndex| self.ports.get(device).map_or(0, Vec::len);
        counts.clear(size(one), size(other));
        let (Some(one), Some(other)) = (self.rows.get(one), self.rows.get(other)) else { return };
        for (row, column) in one.iter().zip(other) {
            if *row < SEVERAL && *column < SEVERAL {
                counts.add(*row as usize, *column as usize);
            }
        }
    }
}

impl Counts {
    fn clear(&mut self, rows: usize, columns: usize) {
        for cell in self.touched.drain(..) {
            if let Some(cell) = self.cells.get_mut(cell) {
                *cell = 0;
            }
        }
        if self.cells.len() < rows * columns {
            self.cells.resize(rows * columns, 0);
        }
        self.rows.clear();
        self.rows.resize(rows, 0);
        self.columns.clear();
        self.columns.resize(columns, 0);
    }

    fn add(&mut self, row: usize, column: usize) {
        let place = row * self.columns.len() + column;
        if let (Some(cell), Some(of_row), Some(of_column)) =
            (self.cells.get_mut(place), self.rows.get_mut(row), self.columns.get_mut(column))
        {
            if *cell == 0 {
                self.touched.push(place);
            }
            *cell += 1;
            *of_row += 1;
            *of_column += 1;
        }
    }

    fn cell(&self, row: usize, column: usize) -> u32 {
        self.cells.get(row * self.columns.len() + column).copied().unwrap_or(0)
    }

    /// Returns for both sides the port, and how many addresses only that port explains.
    fn sides(&self) -> [Option<(usize, usize)>; 2] {
        let all: u32 = self.rows.iter().sum();
        if all == 0 {
            return [None, None];
        }
        let by_row = best(&self.rows, &self.columns, |row, column| self.cell(row, column));
        let by_column = best(&self.columns, &self.rows, |column, row| self.cell(row, column));
        [by_row, by_column].map(|(place, explained, next)| {
            let (only, unexplained) = (explained - next, all - explained);
            (only > unexplained).then_some((place, only as usize))
        })
    }
}

/// Returns the line (a row, or a column) that explains the most together with the best line across, how much that is, and
/// how much the next best line explains.
fn best(lines: &[u32], across: &[u32], cell: impl Fn(usize, usize) -> u32) -> (usize, u32, u32) {
    let mut largest: Vec<(u32, usize)> = across.iter().enumerate().map(|(place, sum)| (*sum, place)).collect();
    largest.sort_unstable_by(|one, other| other.cmp(one));
    // A line without any address explains what the best line across does.
    let mut next = largest.first().map_or(0, |(sum, _)| *sum);
    let (mut at, mut explained) = (0, 0);
    for (place, sum) in lines.iter().enumerate().filter(|(_, sum)| **sum > 0) {
        let mut most = 0;
        for (across, crossing) in &largest {
            if *across <= most {
                break;
            }
            most = most.max(across - cell(place, *crossing));
        }
        let explains = sum + most;
        if explains > explained {
            next = next.max(explained);
            (at, explained) = (place, explains);
        } else {
            next = next.max(explains);
        }
    }
    (at, explained, next.min(explained))
}
