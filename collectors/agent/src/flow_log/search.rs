//! Looking for flows: the latest first, a page at a time, beside whoever writes the log.
//!
//! Invariants: memory is bounded by the flows of a page, the places of the blocks that may hold more, and one block; blocks are
//! read in the order of their latest flow, and none that cannot hold what is asked for; a page that is ended early says where to
//! read on, nothing before that place is left out, and the next page gets further. Opens files for reading only.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fs::File,
    io,
    path::{Path, PathBuf},
};

use onenet_topology::{
    Timestamp,
    flow::{Flow, FlowCursor, FlowPage, FlowPageEnd, FlowQuery, FlowsMissing, FlowsMissingReason},
};

use super::{
    FlowLogError, Go, PageLimits,
    filter::Asked,
    frame::{Kind, NoFileHead},
    lump::{Lump, Tail},
    scan::{Found, Scan},
    segment::{self, Check, Files, Info},
    summary::{Span, Summary},
};

/// What there is. Segments are opened when their turn comes: there may be thousands.
struct Log {
    segments: Vec<Info>,
    tails: Vec<Tail>,
}

/// Where flows may be, by the latest end of them: those go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A block of a segment.
    Block { segment: usize, at: u64 },
    /// A lump of a tail.
    Lump { tail: usize, lump: usize },
    /// A segment whose blocks are not known yet.
    Segment(usize),
}

/// A search under way.
struct Search<'q> {
    log: &'q Log,
    query: &'q FlowQuery,
    asked: Asked,
    limits: &'q PageLimits<'q>,
    places: BinaryHeap<(i64, Place)>,
    kept: Kept,
    missing: BTreeMap<FlowsMissingReason, FlowsMissing>,
}

/// The latest flows so far: by end, then by number.
struct Kept {
    /// Only flows below this are taken: ends and numbers.
    before: (i64, u64),
    most: usize,
    flows: BinaryHeap<Reverse<One>>,
    /// Whether one was left out for want of room.
    is_over: bool,
}

/// A flow that was found.
struct One {
    key: (i64, u64),
    flow: Flow,
}

impl PartialEq for One {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for One {}

impl PartialOrd for One {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for One {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Returns a page of what is asked for.
pub(super) fn page(
    folder: &Path,
    query: &FlowQuery,
    after: Option<FlowCursor>,
    limits: &PageLimits<'_>,
) -> Result<FlowPage, FlowLogError> {
    let failed = |source| FlowLogError::Read { folder: folder.to_owned(), source };
    let log = Log::open(folder)?;
    let id = log.id();
    if after.zip(id).is_some_and(|(after, id)| after.log != id) {
        return Err(FlowLogError::AnotherLog);
    }
    let before = after.map_or((i64::MAX, u64::MAX), |after| (after.end.unix_ms(), after.number));
    let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let mut search = Search {
        log: &log,
        query,
        asked: Asked::of(query),
        limits,
        places: log.places(query, before.0),
        kept: Kept { before, most: wanted.min(limits.flows).max(1), flows: BinaryHeap::new(), is_over: false },
        missing: BTreeMap::new(),
    };
    let ended = search.run().map_err(failed)?.ok_or(FlowLogError::Cancelled)?;
    Ok(search.page(ended, id.unwrap_or(0)))
}

impl Log {
    fn open(folder: &Path) -> Result<Self, FlowLogError> {
        let failed = |source| FlowLogError::Read { folder: folder.to_owned(), source };
        let files = Files::of(folder).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => FlowLogError::NoLog { folder: folder.to_owned() },
            _ => failed(source),
        })?;
        let format = |found| FlowLogError::Format { folder: folder.to_owned(), found };
        // The tails first: what leaves them meanwhile is found in a segment.
        let mut tails = Vec::new();
        for path in files.tails {
            match present(Tail::read(&path)).map_err(failed)? {
                Some(Ok(tail)) => tails.push(tail),
                Some(Err(NoFileHead::Format(found))) => return Err(format(found)),
                Some(Err(NoFileHead::Damaged)) | None => {}
            }
        }
        let mut segments = Vec::new();
        for path in Files::of(folder).map_err(failed)?.segments {
            let Some(file) = present(File::open(&path)).map_err(failed)? else { continue };
            match segment::read(&path, &file, Check::Summaries).map_err(failed)? {
                Ok(read) => segments.push(read.info),
                Err(NoFileHead::Format(found)) => return Err(format(found)),
                Err(NoFileHead::Damaged) => {}
            }
        }
        let mut log = Self { segments, tails };
        log.lend_clocks();
        let next = log.segments.iter().map(|info| info.next).max().unwrap_or(0);
        log.tails.iter_mut().for_each(|tail| tail.lumps.retain(|lump| lump.first >= next));
        Ok(log)
    }

    fn lend_clocks(&mut self) {
        let count = self.segments.len();
        self.segments.extend(self.tails.iter().map(info));
        segment::lend_clocks(&mut self.segments);
        let lent = self.segments.drain(count..).map(|info| info.ahead_ms);
        self.tails.iter_mut().zip(lent).for_each(|(tail, ahead)| tail.ahead_ms = ahead);
    }

    fn id(&self) -> Option<u64> {
        let heads = self.segments.iter().map(|info| info.head).chain(self.tails.iter().map(|tail| tail.head));
        heads.map(|head| head.log).find(|log| *log != 0)
    }

    /// Returns where flows may be that went on in the time asked for and ended no later than this.
    fn places(&self, query: &FlowQuery, latest: i64) -> BinaryHeap<(i64, Place)> {
        let fits = |span: Span| (span.meets(query) && span.min_end <= latest).then_some(span.max_end);
        let segments = self.segments.iter().enumerate();
        let segments = segments.filter_map(|(at, info)| Some((fits(info.true_span())?, Place::Segment(at))));
        let lumps = self.tails.iter().enumerate().flat_map(|(at, tail)| {
            let ahead_ms = tail.ahead_ms.unwrap_or(0);
            let lumps = tail.lumps.iter().enumerate();
            lumps.filter_map(move |(lump, it)| Some((fits(it.span.behind(ahead_ms))?, Place::Lump { tail: at, lump })))
        });
        segments.chain(lumps).collect()
    }

    /// Returns the ends of the oldest and the latest flow.
    fn reach(&self) -> (Option<Timestamp>, u32) {
        let tails: Vec<Info> = self.tails.iter().map(info).collect();
        super::reach(self.segments.iter().chain(&tails))
    }
}

impl Search<'_> {
    /// Searches until the page is full, everything was looked through, or time is up. `None` when it is given up.
    fn run(&mut self) -> io::Result<Option<FlowPageEnd>> {
        for (before, info) in self.log.segments.iter().zip(self.log.segments.iter().skip(1)) {
            let (from, until) = (before.true_span().max_end, info.true_span().min_end);
            let between = info.head.first.saturating_sub(before.next);
            self.lacks(FlowsMissingReason::Damaged, from.min(until), from.max(until), between);
        }
        let begun = self.places.peek().map(|(end, _)| *end).map_or(i64::MIN, |end| end.min(self.kept.before.0));
        while let Some((end, place)) = self.places.peek().copied() {
            if self.kept.needs_none_from(end) {
                return Ok(Some(FlowPageEnd::Limit));
            }
            match (self.limits.go)() {
                Go::Stop => return Ok(None),
                // Not before the next page gets further than this one.
                Go::EndPage if end < begun => return Ok(Some(FlowPageEnd::Time)),
                Go::On | Go::EndPage => {}
            }
            self.places.pop();
            match place {
                Place::Segment(at) => self.open_segment(at)?,
                Place::Block { segment, at } => self.read_block(segment, at)?,
                Place::Lump { tail, lump } => {
                    let found = self.log.tails.get(tail).and_then(|it| Some((it.lumps.get(lump)?, it.ahead_ms)));
                    if let Some((lump, ahead_ms)) = found {
                        self.take(lump, ahead_ms);
                    }
                }
            }
        }
        Ok(Some(if self.kept.is_over { FlowPageEnd::Limit } else { FlowPageEnd::All }))
    }

    /// Learns where the blocks of a segment are that may hold what is asked for, and what the segment lacks.
    fn open_segment(&mut self, at: usize) -> io::Result<()> {
        let Some(info) = self.log.segments.get(at) else { return Ok(()) };
        let Some(file) = present(File::open(&info.path))? else { return Ok(()) };
        let ahead_ms = info.ahead_ms.unwrap_or(0);
        let (mut next, mut until) = (info.head.first, info.true_span().min_end);
        let mut scan = Scan::new(&file)?;
        while let Some(found) = scan.next()? {
            let Found::Frame { at: place, head, summary } = found else { continue };
            let Some(summary) = Summary::decode(&summary).filter(|_| head.kind == Kind::Block) else { continue };
            if summary.first >= info.next {
                // It was written since; its flows are in the tail that was read before.
                break;
            }
            let span = summary.span.behind(ahead_ms);
            if summary.first > next {
                self.lacks(FlowsMissingReason::Damaged, until, span.max_end, summary.first - next);
            }
            self.lacks(FlowsMissingReason::WriterBusy, until, span.max_end, summary.lost.busy);
            self.lacks(FlowsMissingReason::Disk, until, span.max_end, summary.lost.disk);
            (next, until) = (summary.next(), span.max_end);
            let fits = span.meets(self.query) && span.min_end <= self.kept.before.0;
            if fits && summary.may_hold(self.query, &self.asked) {
                self.places.push((span.max_end, Place::Block { segment: at, at: place }));
            }
        }
        if info.next > next {
            self.lacks(FlowsMissingReason::Damaged, until, info.true_span().max_end, info.next - next);
        }
        Ok(())
    }

    fn read_block(&mut self, segment: usize, at: u64) -> io::Result<()> {
        let Some(info) = self.log.segments.get(segment) else { return Ok(()) };
        let Some(file) = present(File::open(&info.path))? else { return Ok(()) };
        let mut scan = Scan::from(&file, at)?;
        let Some(Found::Frame { head, summary, .. }) = scan.next()? else { return Ok(()) };
        match Lump::read(&file, at, &head, &summary)? {
            Some(lump) => self.take(&lump, info.ahead_ms),
            None => {
                if let Some(summary) = Summary::decode(&summary) {
                    let span = summary.span.behind(info.ahead_ms.unwrap_or(0));
                    self.lacks(FlowsMissingReason::Damaged, span.min_end, span.max_end, summary.flows.into());
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, lump: &Lump, ahead_ms: Option<i64>) {
        let ahead_ms = ahead_ms.unwrap_or(0);
        let query = FlowQuery {
            from: self.query.from.plus_ms(ahead_ms),
            until: self.query.until.plus_ms(ahead_ms),
            ..*self.query
        };
        let kept = &mut self.kept;
        let taken = lump.each(&query, &mut |row, number| {
            let end = row.end.plus_ms(-ahead_ms);
            kept.offer((end.unix_ms(), number), || {
                let flow = row.flow();
                Flow { start: flow.start.plus_ms(-ahead_ms), end, ..flow }
            });
        });
        if let Err(error) = taken {
            // Its checksum is good: we wrote it so.
            tracing::error!(%error, first = lump.first, "a block of the flow log is wrong");
            let span = lump.span.behind(ahead_ms);
            self.lacks(FlowsMissingReason::Damaged, span.min_end, span.max_end, lump.flows.into());
        }
    }

    /// Notes what is missing of the time asked for.
    fn lacks(&mut self, reason: FlowsMissingReason, from: i64, until: i64, flows: u64) {
        let asked = self.query.from.unix_ms()..self.query.until.unix_ms();
        if flows == 0 || until < asked.start || from >= asked.end {
            return;
        }
        let (from, until) = (Timestamp::from_unix_ms(from), Timestamp::from_unix_ms(until));
        let one = FlowsMissing { reason, from, until, flows: Some(0) };
        let sum = self.missing.entry(reason).or_insert(one);
        sum.from = sum.from.min(from);
        sum.until = sum.until.max(until);
        sum.flows = sum.flows.map(|sum| sum.saturating_add(flows));
    }

    fn page(mut self, ended: FlowPageEnd, log: u64) -> FlowPage {
        let (kept_from, days) = self.log.reach();
        if let Some(missing) = before_the_log(self.query, kept_from) {
            self.missing.insert(FlowsMissingReason::BeforeTheLog, missing);
        }
        let mut found: Vec<One> = self.kept.flows.into_iter().map(|Reverse(one)| one).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        let next = match ended {
            FlowPageEnd::All => None,
            FlowPageEnd::Time => {
                let frontier = self.places.peek().map_or(i64::MIN, |(end, _)| *end);
                found.retain(|one| one.key.0 > frontier);
                Some((frontier, u64::MAX))
            }
            FlowPageEnd::Limit | FlowPageEnd::Size => found.last().map(|one| one.key),
        };
        let (keys, flows): (Vec<(i64, u64)>, Vec<Flow>) = found.into_iter().map(|one| (one.key, one.flow)).unzip();
        let cursor = |(end, number)| FlowCursor { log, end: Timestamp::from_unix_ms(end), number };
        let missing = self.missing.into_values().collect();
        let page = FlowPage { flows, next: next.map(cursor), ended, kept_from, days, missing };
        cut(page, self.limits, |at| keys.get(at).copied().map(cursor))
    }
}

/// Returns the page with as many of its flows as fit, one at the least; `key` tells where to read on behind a flow.
fn cut(mut page: FlowPage, limits: &PageLimits<'_>, key: impl Fn(usize) -> Option<FlowCursor>) -> FlowPage {
    if page.flows.len() <= 1 || (limits.fits)(&page) {
        return page;
    }
    let whole = std::mem::take(&mut page.flows);
    let mut with = |count: usize| {
        let next = count.checked_sub(1).and_then(&key);
        let flows = whole.iter().take(count).cloned().collect();
        page = FlowPage { flows, next, ended: FlowPageEnd::Size, ..page.clone() };
        (limits.fits)(&page)
    };
    // The most that fit are at least `low`, and fewer than `high`.
    let (mut low, mut high) = (1, whole.len());
    while high - low > 1 {
        let middle = low.midpoint(high);
        if with(middle) { low = middle } else { high = middle }
    }
    with(low);
    page
}

impl Kept {
    /// Returns whether no flow that ended then or earlier has a place on the page.
    fn needs_none_from(&self, end: i64) -> bool {
        self.flows.len() >= self.most && self.flows.peek().is_some_and(|Reverse(last)| end < last.key.0)
    }

    fn offer(&mut self, key: (i64, u64), flow: impl FnOnce() -> Flow) {
        if key >= self.before {
            return;
        }
        if self.flows.len() >= self.most {
            self.is_over = true;
            match self.flows.peek() {
                Some(Reverse(last)) if last.key < key => self.flows.pop(),
                _ => return,
            };
        }
        self.flows.push(Reverse(One { key, flow: flow() }));
    }
}

/// Returns what a tail adds up to, like a segment.
fn info(tail: &Tail) -> Info {
    let span = tail.lumps.iter().map(|lump| lump.span).fold(Span::NONE, Span::and);
    Info { span, ahead_ms: tail.ahead_ms, ..Info::new(PathBuf::new(), tail.head) }
}

fn before_the_log(query: &FlowQuery, kept_from: Option<Timestamp>) -> Option<FlowsMissing> {
    let until = kept_from.map_or(query.until, |kept| kept.min(query.until));
    let missing = FlowsMissing { reason: FlowsMissingReason::BeforeTheLog, from: query.from, until, flows: None };
    (query.from < until).then_some(missing)
}

/// Returns `None` for a file that is gone: it expired, or became part of another.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
