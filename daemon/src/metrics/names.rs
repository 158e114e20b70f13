//! The contract of the metrics: every name, with its type, unit, labels and meaning. Dashboards and rules depend on it;
//! `document` writes it down, and a golden file in the tests holds it still.
//!
//! Invariant: no label takes its values from endpoints, addresses or anything else that traffic can multiply; the
//! greatest label is the port, of those that lead from device to device: some seventeen thousand. Other ports, and sensors, are no
//! labels: of them there are counts, sums and the one value of a device that matters. Each metric says of what it has series and
//! how many of each; the sum for the whole country is at most [`BUDGET`] (a test), and `./tests/bench country` holds what the
//! simulated country exports against it.

use super::design::Per;

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process starts again.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The name, with unit and `_total` as Prometheus wants them.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The labels.
    pub labels: &'static [&'static str],
    /// How many series it has of each …
    pub each: u32,
    /// … of these.
    pub per: Per,
    /// What it says.
    pub help: &'static str,
}

impl Metric {
    /// Returns how many series it has in the whole country at most, as far as things are as [`Per`] says.
    pub fn series_max(&self) -> u32 {
        self.each * self.per.count()
    }
}

/// Series that Prometheus adds to each page that it reads: `up`, and four that begin with `scrape_`.
const OF_PROMETHEUS: u32 = 5;
/// The most series of the whole country, all metrics together, those of Prometheus too.
pub const BUDGET: u32 = 400_000;

/// Returns how many series the whole country has at most.
pub fn series_of_the_country() -> u32 {
    ALL.iter().map(Metric::series_max).sum::<u32>() + OF_PROMETHEUS * Per::Page.count()
}

macro_rules! metrics {
    ($($id:ident = $kind:ident $name:literal [$($label:literal),*] $each:literal * $per:ident $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $id: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                labels: &[$($label),*],
                each: $each,
                per: Per::$per,
                help: $help,
            };
        )*

        /// Every metric, in the order of the document.
        pub const ALL: &[Metric] = &[$($id),*];
    };
}

metrics! {
    BUILD_INFO = Gauge "onenet_build_info" ["version"] 1 * Centre
        "Always 1; the version that runs.";
    START_TIME = Gauge "onenet_start_time_seconds" [] 1 * Centre
        "When the centre started, in seconds since 1970.";
    LOG_POSITION = Gauge "onenet_log_position" [] 1 * Centre
        "Position of the last record of the log that is part of the picture.";
    LOG_TIME = Gauge "onenet_log_time_seconds" [] 1 * Centre
        "Commit time of that record, in seconds since 1970.";
    SITES = Gauge "onenet_sites" ["tier"] 4 * Centre
        "Sites that exist.";
    SITE_INFO = Gauge "onenet_site_info" ["site", "code", "name", "tier", "parent", "demo"] 1 * Site
        "Always 1; names and place of a site, to join with the label site. demo is true for simulated sites.";
    SITE_ENDPOINTS = Gauge "onenet_site_endpoints" ["site", "state"] 2 * Site
        "Endpoints of a site: present are seen by an agent now, past were seen before.";
    SITE_DEVICES = Gauge "onenet_site_devices" ["site", "state"] 4 * Site
        "Devices of a site: up, degraded, down, or unknown since nobody who is heard watches them.";
    SITE_AGENTS = Gauge "onenet_site_agents" ["site", "state"] 3 * Site
        "Agents of a site: connected, silent, or never (enrolled and never heard).";
    SITE_TERMINALS = Gauge "onenet_site_terminals" ["site", "state"] 5 * Site
        "Computers on the books of a site that were seen within 30 days, are silent since longer, or were never seen; and computers seen there within 30 days that are on nobody's books (unregistered; unregistered_unclassified are machines of an unknown kind). No series for states without a machine.";
    SITE_CONDITIONS = Gauge "onenet_site_conditions" ["site", "kind"] 2 * Site
        "Conditions that keep agents of a site from their work.";
    SITE_FINDINGS = Gauge "onenet_site_findings" ["site", "kind"] 2 * Site
        "Findings of the centre about a site.";
    SITE_NEW_ENDPOINTS = Gauge "onenet_site_new_endpoints" ["site"] 1 * Site
        "Endpoints that were seen at a site for the first time within the last day.";
    SUBTREE_SITES = Gauge "onenet_subtree_sites" ["site", "tier", "state"] 5 * Subtree
        "Sites at and below a site above the counties, by what is concluded of them: up, degraded, down, flapping, or unknown. Each site counts along its first way up. No series for states without a site.";
    SUBTREE_AGENTS = Gauge "onenet_subtree_agents" ["site", "tier", "state"] 3 * Subtree
        "Agents of these sites: connected, silent, or never (enrolled and never heard).";
    SUBTREE_DEVICES = Gauge "onenet_subtree_devices" ["site", "tier", "state"] 4 * Subtree
        "Devices of these sites: up, degraded, down, or unknown.";
    SUBTREE_ENDPOINTS = Gauge "onenet_subtree_endpoints" ["site", "tier", "state"] 2 * Subtree
        "Endpoints of these sites: present or past.";
    SUBTREE_TERMINALS = Gauge "onenet_subtree_terminals" ["site", "tier", "state"] 5 * Subtree
        "Computers of these sites as in onenet_site_terminals, by what was counted of each last: when its page was read, or at noon. Zero is told, once any of them was counted.";
    SUBTREE_FLOW_BYTES = Counter "onenet_subtree_flow_bytes_total" ["site", "tier"] 1 * Subtree
        "Bytes of finished flows that crossed the segments of these sites, as their agents told within half an hour since the centre started.";
    APPLICATION_BYTES = Counter "onenet_application_bytes_total" ["application"] 100 * Centre
        "Bytes of finished flows at all sites by application, unknown where none was recognised, as agents told within half an hour since the centre started.";
    DEVICE_INFO = Gauge "onenet_device_info" ["site", "device", "name", "vendor", "model", "role"] 1 * Device
        "Always 1; name and kind of a device, to join with the label device. The name of one that tells none and is polled by an address is its id.";
    DEVICE_SENSORS = Gauge "onenet_device_sensors" ["site", "device", "state"] 2 * Device
        "Sensors of a device by what it says of them: normal, warning, critical, absent, or unjudged. States without a sensor have no series.";
    DEVICE_TEMPERATURE = Gauge "onenet_device_temperature_max_celsius" ["site", "device"] 1 * Device
        "Highest temperature that a device measures, in itself and in its optical modules.";
    DEVICE_CPU_LOAD = Gauge "onenet_device_cpu_load_max_ratio" ["site", "device"] 1 * Device
        "Load of the busiest processor of a device, 0 to 1.";
    DEVICE_MEMORY_USED = Gauge "onenet_device_memory_used_max_ratio" ["site", "device"] 1 * Device
        "Used part of the fullest working memory of a device, 0 to 1.";
    DEVICE_STORAGE_USED = Gauge "onenet_device_storage_used_max_ratio" ["site", "device"] 1 * LargeDevice
        "Used part of the fullest disk or flash memory of a device, 0 to 1.";
    DEVICE_OPTICAL_RECEIVE = Gauge "onenet_device_optical_receive_min_dbm" ["site", "device"] 1 * LargeDevice
        "Weakest light that an optical module of a device receives.";
    DEVICE_POE_POWER = Gauge "onenet_device_poe_power_watts" ["site", "device"] 1 * LargeDevice
        "Power that a device gives to terminals over Ethernet, in all.";
    DEVICE_HUMIDITY = Gauge "onenet_device_humidity_max_ratio" ["site", "device"] 1 * Room
        "Highest relative humidity that a device measures, 0 to 1.";
    DEVICE_BATTERY_CHARGE = Gauge "onenet_device_battery_charge_min_ratio" ["site", "device"] 1 * Room
        "Charge of the emptiest battery of a device, 0 to 1.";
    DEVICE_BATTERY_RUN_TIME = Gauge "onenet_device_battery_run_time_min_seconds" ["site", "device"] 1 * Room
        "How long the battery of a device lasts, by the one that lasts least.";
    DEVICE_OUTPUT_LOAD = Gauge "onenet_device_output_load_max_ratio" ["site", "device"] 1 * Room
        "Load of the most loaded output of a power supply, 0 to 1, above when it is overloaded.";
    INTERFACE_UP = Gauge "onenet_interface_up" ["site", "device", "interface"] 1 * Port
        "Whether a port that is exported (an end of a link, a trunk, a port of a router or firewall, or one with #watch in its ifAlias) is up, by ifOperStatus: 1 or 0. On the site's page.";
    INTERFACE_SPEED = Gauge "onenet_interface_speed_bits_per_second" ["site", "device", "interface"] 1 * Port
        "Speed of such a port. On the site's page.";
    INTERFACE_RECEIVED = Counter "onenet_interface_receive_bytes_total" ["site", "device", "interface"] 1 * Port
        "Octets that such a port received, as its device counts them, with the time at which it was read. On the site's page. Measured.";
    INTERFACE_SENT = Counter "onenet_interface_transmit_bytes_total" ["site", "device", "interface"] 1 * Port
        "Octets that it sent. On the site's page. Measured.";
    INTERFACE_ERRORS = Counter "onenet_interface_errors_total" ["site", "device", "interface", "direction"] 2 * Port
        "Packets with errors, received or to be transmitted. On the site's page. Measured.";
    INTERFACE_DISCARDS = Counter "onenet_interface_transmit_discards_total" ["site", "device", "interface"] 1 * Port
        "Packets that it discarded instead of sending them although nothing was wrong with them: as a rule its queue was full. On the site's page. Measured.";
    INCIDENTS = Gauge "onenet_incidents" ["kind", "severity", "state"] 100 * Centre
        "Incidents by kind, proposed grade and state: open, planned (open within a planned maintenance), or closed and kept.";
    INCIDENT_SITES = Gauge "onenet_incident_sites" ["incident", "state", "kind", "cause", "severity", "subject", "site", "name", "tier", "province", "areas"] 1 * Incident
        "Sites that an open incident keeps out of reach; state is open, or planned within a planned maintenance; cause what may be behind it, joined by commas; subject the device, service or agent that it is of; province and areas the names of those that its site belongs to, areas each between semicolons. Of the first 1,000, the gravest and newest first.";
    CASES = Gauge "onenet_cases" ["grade", "state"] 24 * Centre
        "Cases that are not closed, by grade (proposed until a person confirms it) and state: new, acknowledged, under_review, notified, rectified, or silenced by a rule. No figure of cases counts drills.";
    CERTIFICATE_ENDS = Gauge "onenet_centre_certificate_expiry_timestamp_seconds" ["certificate"] 3 * Centre
        "When a certificate of the centre ends, in seconds since 1970: console (what people and programs are shown), agents (what agents are), or authority (what vouches for agents).";
    KEPT_RATIO = Gauge "onenet_kept_ratio" ["what"] 3 * Centre
        "How much of the room for what has to be kept 190 days is taken, 0 to 1 and more; what is cases, inspections or files (bytes of what is attached to cases). Beyond 1, closed ones of more than 190 days give way, younger ones do not, and no more files are attached.";
    ANOMALIES_LEFT_OUT = Gauge "onenet_anomalies_left_out" [] 1 * Centre
        "Anomalies that were not kept at sites that have as many as there is room for, since they have; which sites, the finding capacity_reached tells.";
    CASES_OVERDUE = Gauge "onenet_cases_overdue" ["grade"] 4 * Centre
        "Open cases of which something is overdue.";
    CASE_OLDEST = Gauge "onenet_case_oldest_age_seconds" ["grade"] 4 * Centre
        "Age of the oldest open case; 0 where there is none.";
    CASE_TAKEN_UP = Gauge "onenet_case_acknowledged_median_seconds" ["grade"] 4 * Centre
        "Median time until somebody took a case up, of those opened within the last 30 days; no series where there is none.";
    CASES_CLOSED = Gauge "onenet_cases_closed" ["verdict"] 3 * Centre
        "Closed cases that are kept, by what they were found to be: true, benign or false.";
    AREA_INFO = Gauge "onenet_area_info" ["area", "name", "kind"] 1 * Area
        "Always 1; name and kind of an area, to join with the label area; of the first 200 areas.";
    SITE_STATE = Gauge "onenet_site_state" ["tier", "state"] 20 * Centre
        "Sites of a tier by what is concluded of them: up, degraded, down, flapping, or unknown since nobody who is heard can tell.";
    SITE_TIME_TODAY = Gauge "onenet_site_time_today_seconds" ["tier", "standing"] 20 * Centre
        "How the time of sites was spent since the day began in China: up, degraded, down, unknown or maintenance.";
    WAY_TIME_TODAY = Gauge "onenet_way_time_today_seconds" ["layer", "standing"] 15 * Centre
        "The same of the ways between sites, by layer: ministry_province, province_city, city_county.";
    AREA_SITE_STATE = Gauge "onenet_area_site_state" ["area", "state"] 5 * Area
        "Sites of an area by state; of the first 200 areas.";
    AGENTS = Gauge "onenet_agents" ["version"] 12 * Centre
        "Agents by the version that they told last, the ten most frequent ones; all others under other, those that never told any under unknown.";
    AGENT_LAST_HEARD = Gauge "onenet_agent_last_heard_timestamp_seconds" ["site", "agent"] 1 * Agent
        "When an agent last said anything, in seconds since 1970.";
    AGENT_CLOCK_OFFSET = Gauge "onenet_agent_clock_offset_seconds" ["site", "agent"] 1 * Agent
        "By how much an agent's wall clock is ahead of the centre's.";
    AGENT_HISTORY_WAITING = Gauge "onenet_agent_history_waiting_batches" ["site", "agent"] 1 * Agent
        "Batches of history that an agent has not had acknowledged.";
    CAPTURE_FRAMES = Counter "onenet_capture_frames_total" ["site", "agent", "capture_interface"] 1 * Agent
        "Frames that an agent took from an interface on which it listens, since it started. Measured.";
    CAPTURE_BYTES = Counter "onenet_capture_bytes_total" ["site", "agent", "capture_interface"] 1 * Agent
        "Bytes of these frames as they were on the wire, without the frame check sequence: what crossed the segment that is mirrored there. Measured.";
    CAPTURE_FRAMES_LOST = Counter "onenet_capture_frames_lost_total" ["site", "agent", "capture_interface", "reason"] 3 * Agent
        "Frames of which capture lost something: kernel (dropped, since the ring was full), cut (their end is missing), undecoded (not understood). Measured.";
    CAPTURE_PAYLOAD_BYTES = Counter "onenet_capture_payload_bytes_total" ["site", "agent", "capture_interface", "state"] 2 * Agent
        "Bytes of payload of TCP connections: captured, or missed (acknowledged by their receivers and never captured). Measured.";
    SITE_ANOMALIES = Gauge "onenet_site_anomalies" ["site", "kind", "grade"] 3 * Site
        "Anomalies that detectors of a site saw within the last day, by kind and proposed grade.";
    DETECTORS = Gauge "onenet_detectors" ["site", "agent", "state"] 2 * Agent
        "Detectors of an agent that are on, and that are off; which they are, the API tells.";
    DETECTION_INPUTS = Counter "onenet_detection_inputs_total" ["site", "agent"] 1 * Agent
        "Observations that an agent's detectors saw since it started, once for each that saw it; told every ten minutes.";
    DETECTION_LAST_RUN = Gauge "onenet_detection_last_run_time_seconds" ["site", "agent"] 1 * Agent
        "When any detector of an agent saw something last, in seconds since 1970.";
    DETECTION_DROPPED = Counter "onenet_detection_dropped_total" ["site", "agent"] 1 * Agent
        "Observations that found no room because an agent's detectors could not keep pace, since it started.";
    PROBE_UP = Gauge "onenet_probe_up" ["site", "agent", "probe", "role"] 1 * Probe
        "What an agent judges of a probe's target: 1 up, 0.5 degraded, 0 down; no series while it is unknown or the agent is silent.";
    PROBE_LOSS = Gauge "onenet_probe_loss_ratio" ["site", "agent", "probe", "role"] 1 * WayOrGateway
        "Part of a probe's questions of the last window that no answer came to, 0 to 1; of ways between sites and of gateways. Measured.";
    PROBE_ROUND_TRIP = Gauge "onenet_probe_round_trip_seconds" ["site", "agent", "probe", "role"] 1 * Probe
        "Median round trip of a probe over the last window. Measured.";
    PROBE_ROUND_TRIP_P95 = Gauge "onenet_probe_round_trip_p95_seconds" ["site", "agent", "probe", "role"] 1 * Way
        "Round trip that 95 in a hundred kept under over the last window; of ways up. Measured.";
    PROBE_MOS = Gauge "onenet_probe_mos" ["site", "agent", "probe", "role"] 1 * Way
        "Mean opinion score of speech and video over a probe's way, 1 to 4.5 (ITU-T G.107), by a media test of the last two hours.";
    PROBE_JITTER = Gauge "onenet_probe_jitter_seconds" ["site", "agent", "probe", "role"] 1 * Way
        "Jitter of a probe's round trips after RFC 3550; of ways up. Measured.";
    PROBE_CERTIFICATE = Gauge "onenet_probe_certificate_expiry_timestamp_seconds" ["site", "agent", "probe", "role"] 1 * Site
        "When the certificate that a probed service showed last ends, in seconds since 1970-01-01T00:00:00Z.";
    PROBE_PATH_MTU = Gauge "onenet_probe_path_mtu_bytes" ["site", "agent", "probe", "role"] 1 * Way
        "The largest packet that passes in one piece up to the site above, headers of IP included.";
    VENDOR_ENDPOINTS = Gauge "onenet_vendor_endpoints" ["vendor"] 12 * Centre
        "Present endpoints of the ten most frequent vendors; all others under other, unknown ones under unknown.";
    CLASS_ENDPOINTS = Gauge "onenet_class_endpoints" ["class"] 40 * Centre
        "Present endpoints by what they are taken to be: pc, server, printer, phone, camera and others; unknown where nothing tells.";
    API_REQUESTS = Counter "onenet_api_requests_total" ["outcome"] 4 * Centre
        "Requests answered since the start, by class of status.";
    API_CONNECTIONS = Gauge "onenet_api_connections" [] 1 * Centre
        "Open connections of people and programs.";
    API_CONNECTIONS_FAILED = Counter "onenet_api_connections_failed_total" ["reason"] 2 * Centre
        "Connections that did not come about since the start: handshake or accept.";
    INGEST_RECORDS = Counter "onenet_ingest_records_total" ["outcome"] 3 * Centre
        "Records since the start: committed, duplicate (committed before), refused.";
    INGEST_FLUSHES = Counter "onenet_ingest_flushes_total" [] 1 * Centre
        "Groups of records that were flushed to disk since the start.";
    STORE_SIZE = Gauge "onenet_store_size_bytes" [] 1 * Centre
        "Size of the store on disk.";
    STORE_FAILED = Gauge "onenet_store_failed" [] 1 * Centre
        "1 when the store failed: nothing is accepted until the daemon is started again.";
    REMOTE_WRITE_WAITING = Gauge "onenet_remote_write_waiting_batches" [] 1 * Centre
        "Batches of samples that remote write has not got rid of yet. This and the others of remote write only where it is configured.";
    REMOTE_WRITE_LAG = Gauge "onenet_remote_write_lag_seconds" [] 1 * Centre
        "How long the oldest of them has been waiting; 0 when none waits.";
    REMOTE_WRITE_SAMPLES = Counter "onenet_remote_write_samples_total" ["outcome"] 3 * Centre
        "Samples since the start: sent (and taken by the receiver), rejected (refused by it for what they are, such as their age), future (not sent, since their time is yet to come).";
    REMOTE_WRITE_DROPPED = Counter "onenet_remote_write_batches_dropped_total" ["reason"] 2 * Centre
        "Batches of which something was lost before it was sent, since the start: full (the queue was), expired (samples are kept for too short a time).";
    REMOTE_WRITE_REQUESTS = Counter "onenet_remote_write_requests_total" ["outcome"] 3 * Centre
        "Requests since the start: taken, refused (for what they carried), failed (and tried again).";
    NOTIFY_WAITING = Gauge "onenet_notify_waiting_messages" ["channel"] 1 * Channel
        "Messages that a channel of `[[notify]]` has not told yet, up to 1,000. This and the others of notification only where one is configured.";
    NOTIFY_LAG = Gauge "onenet_notify_lag_seconds" ["channel"] 1 * Channel
        "How long ago happened what the first of them tells; 0 when none waits.";
    NOTIFY_MESSAGES = Counter "onenet_notify_messages_total" ["channel", "outcome"] 3 * Channel
        "Messages since the start: taken, refused (for what they are), dropped (they gave way to newer ones).";
    NOTIFY_FAILURES = Counter "onenet_notify_failures_total" ["channel"] 1 * Channel
        "Attempts that failed since the start; each is made again.";
    REPLICATION_SEQUENCE = Gauge "onenet_replication_sequence" [] 1 * Centre
        "Number of the last entry of the shared log that this replica took in. This and the others of replication only where `[replication]` is configured.";
    REPLICATION_BEHIND = Gauge "onenet_replication_entries_behind" [] 1 * Centre
        "Entries of the log that were behind the last one that was read, as the servers said then.";
    REPLICATION_LEASE = Gauge "onenet_replication_lease" [] 1 * Centre
        "1 when this replica is the one that acts on the outside.";
    REPLICATION_SHORT = Gauge "onenet_replication_log_short" [] 1 * Centre
        "1 when the log ends before what this replica took in: the servers lost acknowledged entries.";
    REPLICATION_FAILURES = Counter "onenet_replication_failures_total" ["doing"] 2 * Centre
        "Times since the start at which the log did not take what this replica said (append) or could not be read (read); both are tried again.";
    REPLICATION_PASSED_OVER = Counter "onenet_replication_entries_passed_over_total" ["reason"] 2 * Centre
        "Entries since the start that did not count: repeated (appended twice, or in front of one that was lost), unsealed (not written by this centre).";
    SESSIONS = Gauge "onenet_console_sessions" [] 1 * Centre
        "Open sessions of the console.";
    AUDIT_WRITTEN = Counter "onenet_audit_entries_total" [] 1 * Centre
        "Entries of the audit trail written since the start.";
    AUDIT_WAITING = Gauge "onenet_audit_entries_waiting" [] 1 * Centre
        "Entries of the audit trail that wait to be written; when it is full, reads are refused.";
}

/// Returns the contract as a document in Markdown.
pub fn document() -> String {
    use std::fmt::Write as _;
    let mut text = String::from(
        "# Metrics\n\nServed at `/metrics` to whoever may read metrics, each for the sites that he may see; those of one site, its \
         ports among them, at `/metrics/site/{code}`, which `/sd` lists for Prometheus (HTTP service discovery). `/metrics?sites=false` \
         leaves out what the sites' pages have. Where `[remote_write]` is configured, what is marked *measured* leaves by remote write with the \
         time at which it was measured, under the same name and labels, and is on no page. The last column says how many series the whole \
         country has of it, as reckoned below. Generated from `daemon/src/metrics/names.rs`.\n\n| name | type | labels | meaning | series |\n|---|---|---|---|---|\n",
    );
    for metric in ALL {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let (labels, series) = (metric.labels.join(", "), reckoned(metric));
        let _ = writeln!(text, "| `{}` | {kind} | {labels} | {} | {series} |", metric.name, metric.help);
    }
    let _ = write!(
        text,
        "\n## How many series\n\nThe whole country has at most {} series, {OF_PROMETHEUS} that Prometheus adds to each of {} pages among them; the budget \
         is {}. Reckoned from:\n\n| what | how many | |\n|---|---|---|\n",
        grouped(series_of_the_country()),
        grouped(Per::Page.count()),
        grouped(BUDGET),
    );
    for per in Per::ALL.into_iter().filter(|per| *per != Per::Centre) {
        let _ = writeln!(text, "| {} | {} | {} |", per.name(), grouped(per.count()), per.why());
    }
    text.push_str(
        "\nConditions, findings and anomalies are as on a day like others: two, two and three kinds a site. `./tests/bench country` counts what the \
         simulated country exports of each.\n",
    );
    text
}

fn reckoned(metric: &Metric) -> String {
    let (each, total) = (metric.each, grouped(metric.series_max()));
    match (metric.per, each) {
        (Per::Centre, _) => total,
        (per, 1) => format!("{total}: 1 a {}", per.name()),
        (per, each) => format!("{total}: {each} a {}", per.name()),
    }
}

/// Returns a number as people write it: 400,000.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_prometheus_and_are_used_once() {
        let mut seen = std::collections::BTreeSet::new();
        for metric in ALL {
            assert!(seen.insert(metric.name), "{} twice", metric.name);
            assert!(metric.name.starts_with("onenet_"), "{}", metric.name);
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }

    #[test]
    fn nothing_is_labelled_by_mac_or_ip() {
        let terminals = ["mac", "ip", "address", "hostname", "host", "endpoint", "terminal", "user"];
        for metric in ALL {
            assert!(metric.labels.iter().all(|label| !terminals.contains(label)), "{}", metric.name);
        }
    }

    #[test]
    fn the_whole_country_stays_within_its_budget() {
        let total = series_of_the_country();
        assert!(total <= BUDGET, "{total}");
        assert!(total > BUDGET / 2, "{total}: what is missing in the reckoning?");
        for metric in ALL {
            let of_ports = metric.labels.contains(&"interface");
            assert_eq!(of_ports, metric.per == Per::Port, "{}", metric.name);
            let at_sites = metric.labels.contains(&"site");
            assert!(at_sites || matches!(metric.per, Per::Centre | Per::Area | Per::Channel), "{}", metric.name);
        }
        assert_eq!([grouped(7), grouped(1_000), grouped(1_234_567)], ["7", "1,000", "1,234,567"]);
    }
}
