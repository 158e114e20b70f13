//! What machines do of an ordinary week: pollers, backups, cameras, monitoring stations, servers among themselves.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use onenet_detection::{
    Detection, Kind,
    observation::{FlowSeen, Measured, Series},
};
use onenet_topology::{Timestamp, application::Application};

use super::{Dice, Site, Upset, datagrams, failed, far, flow, ip, moment, normal::busy, spoken};

/// Monitoring stations of a site.
pub(super) const STATIONS: u32 = 3;

/// The number that is none of them: all.
pub(super) const ALL_STATIONS: u32 = STATIONS;
/// The number of the business feed.
pub(super) const BUSINESS_FEED: u32 = STATIONS + 1;
/// The port that leads out of the site.
pub(super) const UPLINK: &str = "r1 GE0/0/1";
/// Who feeds a business system of another site, and where.
pub(super) const BUSINESS: (IpAddr, SocketAddr) =
    (IpAddr::V4(Ipv4Addr::new(10, 20, 2, 138)), SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 0, 213)), 7_001));

/// Returns a monitoring station.
pub(super) fn station(number: u32) -> IpAddr {
    ip(600 + number)
}

impl Site {
    pub(super) fn machines(
        &self,
        week: i64,
        minute: i64,
        busy: u32,
        is_cut: bool,
        dice: &mut Dice,
        detection: &mut Detection,
    ) {
        let at = moment(week, minute * 60 + i64::from(dice.below(20)));
        // A poller that nobody listed: a sixth of what it knows is absent.
        let poller = (ip(8), 50_001);
        if minute % 5 == 0 {
            for device in 0..self.devices {
                let back = u64::from(device % 6 != 5) * 30;
                detection.flow(&datagrams(at, poller, (ip(20 + device), 161), 30, back, 2_000));
                let echo = flow(at, 1, (ip(8), 77), (ip(20 + device), 8 << 8));
                detection.flow(&FlowSeen { packets_out: 5, packets_in: back.min(5), ..echo });
            }
            for service in [22_u16, 80, 443, 3_306] {
                detection.flow(&FlowSeen {
                    data: service == 22,
                    ..spoken(at, (ip(8), dice.port()), (ip(10), service), 0, 200, 20)
                });
            }
        }
        // Our own agent sweeps its prefixes, and it is listed.
        if minute % 720 == 90 {
            for host in 0..600 {
                detection.flow(&datagrams(
                    at.plus_ms(i64::from(host) * 2),
                    (ip(5), 50_002),
                    (ip(1_000 + host), 161),
                    1,
                    0,
                    0,
                ));
            }
        }
        // A logger that reports each minute, and clocks.
        let logger = (ip(40), dice.port());
        detection.flow(&if is_cut {
            failed(at, logger, (far(2), 9_001), false)
        } else {
            spoken(at, logger, (far(2), 9_001), 600, 200, 300)
        });
        if minute % 17 == 0 {
            for host in 0..self.pcs.min(30) {
                detection.flow(&datagrams(at, (self.pc(host), 123), (far(123), 123), 1, u64::from(!is_cut), 30));
            }
            // Telemetry by the clock to somebody who is allowed.
            detection.flow(&spoken(
                at,
                (ip(41), dice.port()),
                ("203.0.113.9".parse().expect("an address"), 443),
                400,
                400,
                200,
            ));
        }
        if minute % 10 == 0 {
            for camera in 0..self.cameras {
                let stream = datagrams(at, (ip(500 + camera), 9_000), (ip(15), 9_002), 240_000, 0, 600_000);
                detection.flow(&FlowSeen { application: Some(Application::Rtp), by_payload: true, ..stream });
                // After a failure of their switch, all of them are looked for.
                let down = minute % 1_440 == 600 && dice.permille(30);
                let control = ((ip(15), dice.port()), (ip(500 + camera), 554));
                detection.flow(&if down {
                    failed(at, control.0, control.1, false)
                } else {
                    spoken(at, control.0, control.1, 9_000, 9_000, 590_000)
                });
            }
            detection.flow(&datagrams(at, (ip(1), 30_000), (ip(16), 2_055), 60_000, 0, 590_000));
        }
        self.servers(at, busy, is_cut, dice, detection);
    }

    fn servers(&self, at: Timestamp, busy: u32, is_cut: bool, dice: &mut Dice, detection: &mut Detection) {
        // A program that opens the database for each page.
        for _ in 0..busy / 12 {
            let back = 900 + u64::from(dice.below(400)) * u64::from(dice.below(60));
            detection.flow(&spoken(
                at.plus_ms(i64::from(dice.below(40_000))),
                (ip(17), dice.port()),
                (ip(18), 3_306),
                900,
                back,
                60,
            ));
        }
        // The resolver asks for everybody.
        for _ in 0..=self.pcs * busy / 300 {
            detection.flow(&datagrams(at, (ip(3), dice.port()), (far(53), 53), 1, u64::from(!is_cut), 40));
            detection.flow(&datagrams(at, (self.pc(dice.below(self.pcs)), dice.port()), (ip(3), 53), 1, 1, 40));
        }
    }

    /// What is measured, what reports by the clock, and who sends much or to many without harm.
    pub(super) fn more_machines(
        &self,
        week: i64,
        minute: i64,
        is_cut: bool,
        dice: &mut Dice,
        detection: &mut Detection,
    ) {
        let at = moment(week, minute * 60 + i64::from(dice.below(20)));
        if minute % 5 == 0 {
            self.measures(at, minute, dice, detection);
            self.uplink(at, minute, is_cut, dice, detection);
        }
        if minute % 10 == 3 {
            self.stations(at, minute, is_cut, dice, detection);
        }
        // A relay of mail that everybody uses, and that delivers to ever new peers.
        let client = (self.pc(dice.below(self.pcs)), dice.port());
        detection.flow(&spoken(at, client, (ip(19), 25), 20_000, 900, 2_000));
        detection.flow(&spoken(at, (ip(19), dice.port()), (far(2_000 + dice.below(4_000)), 25), 20_000, 900, 2_000));
        // A web server that everybody uses, with a database and a log behind it.
        let client = (self.pc(dice.below(self.pcs)), dice.port());
        detection.flow(&spoken(at, client, (ip(17), 443), 900, 20_000, 2_000));
        detection.flow(&spoken(at, (ip(17), dice.port()), (far(14), 5_044), 9_000, 900, 2_000));
        // Each Saturday night all of a server is saved; now and then somebody puts a film or an image on the file server.
        if minute == 5 * 1_440 + 23 * 60 {
            detection.flow(&spoken(at, (ip(12), 40_001), (far(12), 873), 30_000_000_000, 90_000_000, 3_600_000));
        }
        if (8..18).contains(&(minute / 60 % 24)) && dice.permille(1) {
            let (from, octets) =
                ((self.pc(dice.below(self.pcs)), dice.port()), 100_000_000 + u64::from(dice.below(500_000_000)));
            detection.flow(&spoken(at, from, (ip(10), 445), octets, octets / 90, 400_000));
        }
    }

    fn measures(&self, at: Timestamp, minute: i64, dice: &mut Dice, detection: &mut Detection) {
        let times = |kind| f64::from(self.times(kind, minute)) / 100.0;
        let errors = f64::from(dice.below(1_000)).powi(2) / 1_000_000.0;
        let busy = f64::from(u32::from((8..18).contains(&(minute / 60 % 24))));
        let round_trip = 8.0 + 4.0 * busy + f64::from(dice.below(1_000)) / 1_000.0;
        // Errors are nearly none: what comes is many times that.
        let errors = errors + if times(Kind::ErrorShift) > 1.0 { 3.0 * times(Kind::ErrorShift) } else { 0.0 };
        let of = |series, of, value| Measured { time: at, series, of, value };
        detection.measured(&of(Series::Errors, "switch-1", errors));
        detection.measured(&of(Series::RoundTrip, "parent", round_trip * times(Kind::RoundTripShift)));
        // Hosts that are not there else.
        for more in 0..self.times(Kind::TerminalShift, minute).saturating_sub(100) * (self.pcs + 20) / 100 {
            detection.flow(&spoken(at, (ip(0x7000 + more), dice.port()), (far(1), 443), 900, 9_000, 2_000));
        }
    }

    /// What the uplink's port counts: more comes than goes, and both vary as frames do.
    fn uplink(&self, at: Timestamp, minute: i64, is_cut: bool, dice: &mut Dice, detection: &mut Detection) {
        for (way, (series, share)) in [(Series::Received, 1.0), (Series::Sent, 0.3)].into_iter().enumerate() {
            let of_way = |upset: &&Upset| {
                let when = (upset.minutes.0..upset.minutes.1).contains(&minute);
                let both = upset.number > 1;
                upset.kind == Kind::UplinkShift && when && (both || usize::try_from(upset.number) == Ok(way))
            };
            let times = self.upsets.iter().find(of_way).map_or(100, |upset| upset.times);
            let busy = 1.0 + f64::from(self.pcs) * f64::from(busy(minute)) / 400.0;
            let varies = 0.78 + f64::from(dice.below(440)) / 1_000.0;
            let value = if is_cut { 0.0 } else { share * busy * varies * f64::from(times) / 100.0 };
            detection.measured(&Measured { time: at, series, of: UPLINK, value });
        }
    }

    fn stations(&self, at: Timestamp, minute: i64, is_cut: bool, dice: &mut Dice, detection: &mut Detection) {
        let is_silent = |number: u32| {
            self.upsets.iter().any(|upset| {
                let when = (upset.minutes.0..upset.minutes.1).contains(&minute);
                let all = upset.number == ALL_STATIONS && number < STATIONS;
                upset.kind == Kind::SilentFeed && when && (all || upset.number == number)
            })
        };
        for number in (0..STATIONS).filter(|number| !is_silent(*number)) {
            let (from, to) = ((station(number), dice.port()), (far(212), 9_002));
            if is_cut {
                detection.flow(&failed(at, from, to, false));
            } else {
                let report = spoken(at, from, to, 1_200, 300, 900);
                detection.flow(&FlowSeen { application: Some(Application::Hj212), by_payload: true, ..report });
            }
        }
        if !is_silent(BUSINESS_FEED) {
            let ((own, to), late) = (BUSINESS, i64::from(dice.below(30_000)));
            let (from, to) = ((own, dice.port()), (to.ip(), to.port()));
            let fed = spoken(at.plus_ms(late), from, to, 9_000, 400, 900);
            detection.flow(&if is_cut { failed(at, from, to, false) } else { fed });
        }
    }
}
