//! A switch with 48 ports that answers SNMPv2c, made of a sorted list. Pure: a question in, an answer out.
//!
//! Invariant: an answer takes at most [`ANSWER_BYTES_MAX`] bytes, as behind a path of 1,500 bytes. It shares no code with
//! what asks it, and is strict: a question that is not what RFC 3416 has gets no answer.

/// The most bytes that an answer takes.
pub(crate) const ANSWER_BYTES_MAX: usize = 1_472;

/// Bytes for what stands around the values of an answer.
const HEAD_BYTES: usize = 64;

const PORTS: u32 = 48;
const UPLINKS: u32 = 4;
const FORWARDING_ROWS: u32 = 300;
const ADDRESS_ROWS: u32 = 200;

/// After how many seconds a few rows of the tables change.
pub(crate) const CHANGE_S: u32 = 10;

/// How many rows change each time.
const FORWARDING_CHANGES: u32 = 5;
const ADDRESS_CHANGES: u32 = 3;

const SYSTEM: &[u32] = &[1, 3, 6, 1, 2, 1, 1];
const IF_ENTRY: &[u32] = &[1, 3, 6, 1, 2, 1, 2, 2, 1];
const IF_X_ENTRY: &[u32] = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1];
const FDB_PORT: &[u32] = &[1, 3, 6, 1, 2, 1, 17, 4, 3, 1, 2];
const ARP_MAC: &[u32] = &[1, 3, 6, 1, 2, 1, 4, 22, 1, 2];

/// A switch: its objects in order, each with the encoded pair of name and value.
#[derive(Debug)]
pub(crate) struct Switch {
    objects: Vec<(Vec<u32>, Vec<u8>)>,
}

/// A question as it was read.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) community: &'a [u8],
    /// The encoded number.
    pub(crate) id: &'a [u8],
    /// The rows asked for; `None` for a GET.
    pub(crate) rows: Option<u32>,
    pub(crate) names: Vec<Vec<u32>>,
}

impl Switch {
    /// Returns a switch with 1,127 objects: three scalars, twelve columns of 52 interfaces, 300 forwarding rows and 200
    /// rows of the address table, so many seconds after its start: time and counters go on, and with every [`CHANGE_S`] a few
    /// terminals have left, others came, one is at another port, and a few addresses are at another card. `number` makes its
    /// name and addresses differ from others'.
    pub(crate) fn at(number: u32, seconds: u32) -> Self {
        let mut switch = Self::of_ports(number, seconds);
        switch.learn(number, seconds / CHANGE_S);
        switch.objects.sort();
        switch
    }

    /// Returns a switch without forwarding and address tables, so many seconds later: 627 objects.
    pub(crate) fn plain_at(seconds: u32) -> Self {
        let mut switch = Self::of_ports(1, seconds);
        switch.objects.sort();
        switch
    }

    fn of_ports(number: u32, seconds: u32) -> Self {
        let mut switch = Self { objects: Vec::new() };
        switch.add(SYSTEM, &[1, 0], &tlv(4, b"Simulated switch, 48 ports, software 1.0"));
        switch.add(SYSTEM, &[3, 0], &tlv(0x43, &(0x0012_3456 + seconds * 100).to_be_bytes()));
        switch.add(SYSTEM, &[5, 0], &tlv(4, format!("switch-{number}").as_bytes()));
        for port in 1..=PORTS + UPLINKS {
            for (column, value) in [(7, 1), (8, 1 + u8::from(port % 5 == 0))] {
                switch.add(IF_ENTRY, &[column, port], &tlv(2, &[value]));
            }
            for column in [13, 14, 19, 20] {
                switch.add(IF_ENTRY, &[column, port], &tlv(0x41, &(port + seconds / (port + column)).to_be_bytes()));
            }
            switch.add(IF_X_ENTRY, &[1, port], &tlv(4, format!("GigabitEthernet0/0/{port}").as_bytes()));
            for column in [6, 7, 9, 10, 11] {
                let counted = (u64::from(port) * 1_000 + u64::from(seconds)) * 1_000_007 * u64::from(column);
                switch.add(IF_X_ENTRY, &[column, port], &tlv(0x46, &counted.to_be_bytes()));
            }
        }
        switch
    }

    fn learn(&mut self, number: u32, changes: u32) {
        let [_, _, high, low] = number.to_be_bytes();
        for row in 0..FORWARDING_ROWS {
            // Each row has its turn: of five that have it, four are other terminals, one is at another port.
            let turns = turns(row, changes, FORWARDING_CHANGES, FORWARDING_ROWS);
            let is_moving = row % FORWARDING_CHANGES == 0;
            let [_, _, a, b] = row.to_be_bytes();
            let [.., generation] = (if is_moving { 0 } else { turns }).to_be_bytes();
            let mac = [0, generation, high, low, a, b].map(u32::from);
            let [.., port] = (1 + (row + if is_moving { turns } else { 0 }) % PORTS).to_be_bytes();
            self.add(FDB_PORT, &mac, &tlv(2, &[port]));
        }
        for row in 0..ADDRESS_ROWS {
            let [.., generation] = turns(row, changes, ADDRESS_CHANGES, ADDRESS_ROWS).to_be_bytes();
            let [.., host] = (row + 1).to_be_bytes();
            let mac = [0, generation, high, low, 0, host];
            self.add(ARP_MAC, &[1, 10, u32::from(high), u32::from(low), u32::from(host)], &tlv(4, &mac));
        }
    }

    /// Returns how many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    fn add(&mut self, prefix: &[u32], suffix: &[u32], value: &[u8]) {
        let name = [prefix, suffix].concat();
        let pair = pair(&name, value);
        self.objects.push((name, pair));
    }

    /// Returns the answer to a question; `None` for what is none.
    pub(crate) fn answer(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let question = Question::read(datagram)?;
        let mut pairs = Vec::with_capacity(ANSWER_BYTES_MAX);
        match question.rows {
            None => self.values(&question.names, &mut pairs),
            Some(rows) => self.successors(&question.names, rows, &mut pairs),
        }
        Some(response(&question, &pairs))
    }

    fn values(&self, names: &[Vec<u32>], pairs: &mut Vec<u8>) {
        for name in names {
            match self.objects.binary_search_by(|(object, _)| object.cmp(name)) {
                Ok(place) => pairs.extend(self.objects.get(place).map_or(&[][..], |(_, pair)| pair)),
                Err(_) => pairs.extend(pair(name, &tlv(0x81, &[]))),
            }
        }
    }

    fn successors(&self, names: &[Vec<u32>], rows: u32, pairs: &mut Vec<u8>) {
        let first = |name: &Vec<u32>| self.objects.partition_point(|(object, _)| object <= name);
        let mut places: Vec<usize> = names.iter().map(first).collect();
        for _ in 0..rows {
            for (place, name) in places.iter_mut().zip(names) {
                let past_the_end = || pair(self.objects.last().map_or(name, |(last, _)| last), &tlv(0x82, &[]));
                let next = self.objects.get(*place).map_or_else(past_the_end, |(_, pair)| pair.clone());
                if pairs.len() + next.len() + HEAD_BYTES > ANSWER_BYTES_MAX {
                    return;
                }
                pairs.extend(next);
                *place += 1;
            }
            if places.iter().all(|place| *place > self.objects.len()) {
                return;
            }
        }
    }
}

impl<'a> Question<'a> {
    /// Reads a GET or GETBULK of SNMPv2c.
    pub(crate) fn read(datagram: &'a [u8]) -> Option<Self> {
        let (0x30, message, []) = element(datagram)? else { return None };
        let (0x02, [1], rest) = element(message)? else { return None };
        let (0x04, community, rest) = element(rest)? else { return None };
        let (kind @ (0xa0 | 0xa5), pdu, []) = element(rest)? else { return None };
        let (0x02, id, rest) = element(pdu)? else { return None };
        let (0x02, [0], rest) = element(rest)? else { return None };
        let (0x02, rows, rest) = element(rest)? else { return None };
        let (0x30, mut list, []) = element(rest)? else { return None };
        let rows = rows.iter().fold(0, |rows: u32, byte| (rows << 8) | u32::from(*byte));
        let mut names = Vec::new();
        while !list.is_empty() {
            let (0x30, pair, rest) = element(list)? else { return None };
            let (0x06, name, null) = element(pair)? else { return None };
            let (0x05, [], []) = element(null)? else { return None };
            names.push(arcs(name));
            list = rest;
        }
        Some(Self { community, id, rows: (kind == 0xa5).then_some(rows), names })
    }
}

/// Returns how often a row has had its turn, of `at_once` rows each time.
fn turns(row: u32, changes: u32, at_once: u32, rows: u32) -> u32 {
    // The rows that had a turn, in all rounds; the row has its own with the change that reaches it.
    (changes * at_once + rows - 1 - row / at_once * at_once) / rows
}

/// Returns the response to a question with these encoded pairs.
pub(crate) fn response(question: &Question<'_>, pairs: &[u8]) -> Vec<u8> {
    let pdu = [tlv(2, question.id), tlv(2, &[0]), tlv(2, &[0]), tlv(0x30, pairs)].concat();
    tlv(0x30, &[tlv(2, &[1]), tlv(4, question.community), tlv(0xa2, &pdu)].concat())
}

/// Returns the encoded pair of a name and an encoded value.
pub(crate) fn pair(name: &[u32], value: &[u8]) -> Vec<u8> {
    let mut content = vec![0x2b];
    for arc in name.get(2..).unwrap_or_default() {
        let mut more = false;
        for shift in [28, 21, 14, 7, 0] {
            let digit = (arc >> shift) & 0x7f;
            more |= digit != 0;
            if more || shift == 0 {
                let [.., digit] = digit.to_be_bytes();
                content.push(if shift == 0 { digit } else { digit | 0x80 });
            }
        }
    }
    tlv(0x30, &[&tlv(6, &content), value].concat())
}

/// Returns an encoded element.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let [.., high, low] = length;
    let mut element = match content.len() {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    element.extend(content);
    element
}

fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (length, rest) = match bytes {
        [_, 0x81, length, rest @ ..] | [_, length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        [_, 0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*bytes.first()?, content, rest))
}

fn arcs(content: &[u8]) -> Vec<u32> {
    let mut arcs = vec![1, 3];
    let mut arc = 0_u32;
    for byte in content.iter().skip(1) {
        arc = (arc << 7) | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    arcs
}
