"""Reads from a recording what a device is, its sensors and its wireless stations, independently of the product.

What a device is comes from identification.csv, which was written by reading what each recording says of itself. Sensors and
stations are an interpretation of the profile files of their own. Where a recording is not in the table, its identification is
not vouched for.
"""

import csv
import functools
import ipaddress
import math
import pathlib
import re
import tomllib

from read_recording import FIELDS as TABLES, mac_text, read, text
from recording import dotted, load, parse_oid

HERE = pathlib.Path(__file__).parent
PROFILES = HERE.parent.parent.parent / "collectors" / "snmp" / "profiles"
SYS_DESCR, SYS_OBJECT_ID, SYS_NAME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.5.0"
ENTERPRISES = (1, 3, 6, 1, 4, 1)
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
LIMITS = ("low_critical", "low_warning", "high_warning", "high_critical")
READINGS_MAX = 4096

FIELDS = {
    "addresses": TABLES["addresses"],
    "identification": ["vendor", "model", "os", "version", "serial", "role"],
    "sensors": ["kind", "name", "value", "state", "source", "index", *LIMITS],
    "stations": ["mac", "ip", "user", "access_point", "access_point_mac", "ssid", "vlan", "radio", "signal_dbm",
                 "receive_kbps", "transmit_kbps", "source", "index"],
}


@functools.cache
def profiles():
    return {path.stem: Profile(path.stem, tomllib.loads(path.read_text())) for path in sorted(PROFILES.glob("*.toml"))}


def listed(value):
    return value if isinstance(value, list) else [value]


class Profile:
    def __init__(self, name, document):
        self.name, self.document = name, document
        self.enterprises = document.get("enterprises", [])
        self.scalars = {name: parse_oid(oid) for name, oid in document.get("scalars", {}).items()}
        self.tables = {}
        for table in document.get("tables", []):
            columns = {name: parse_oid(column) if isinstance(column, str) else parse_oid(table["entry"]) + (column,)
                       for name, column in table["columns"].items()}
            self.tables[table["name"]] = (columns, table.get("join", {}))

    def table_of(self, name):
        return next((table for table, (columns, _) in self.tables.items() if name in columns), None)

    def objects(self):
        """Yields what each object is below."""
        yield from (oid[:-1] for oid in self.scalars.values())
        for columns, _ in self.tables.values():
            yield from columns.values()


def subtrees():
    """Returns what a simulator has to serve, none below another."""
    wanted = sorted({oid for profile in profiles().values() for oid in profile.objects()})
    return [dotted(oid) for oid in wanted if not any(oid[:len(other)] == other for other in wanted if other != oid)]


SUBTREES = subtrees()


class Device:
    """A recording by column."""

    def __init__(self, recording, interfaces):
        self.recording = recording
        self.interfaces = {row["if_index"]: row["name"] for row in interfaces}
        self.part_names = recording.column(f"{ENTITY}.7")
        self.part_descriptions = recording.column(f"{ENTITY}.2")
        self.parts = {index for column in (2, 4, 5, 7, 8, 9, 10, 11, 12, 13)
                      for index in recording.column(f"{ENTITY}.{column}") if len(index) == 1}

    def scalar(self, oid):
        return self.recording.get(oid)

    @functools.lru_cache(maxsize=None)
    def column(self, oid):
        return self.recording.column(dotted(oid))

    def part(self, index):
        if index not in self.parts:
            return None
        for names in (self.part_names, self.part_descriptions):
            name = names.get(index)
            if isinstance(name, bytes) and squeezed(name):
                return squeezed(name)
        return None


def squeezed(octets):
    return re.sub(r" +", " ", text(octets))


class Row:
    def __init__(self, device, profile, table, index):
        self.device, self.profile, self.table, self.index = device, profile, table, index

    def cell(self, name):
        """Returns what a name stands for: a scalar, a column of the row, or one of a row that it leads to."""
        if name in self.profile.scalars:
            return self.device.scalar(self.profile.scalars[name])
        if self.table is None:
            return None
        columns, joins = self.profile.tables[self.table]
        if name in columns:
            return self.device.column(columns[name]).get(self.index)
        for other, by in joins.items():
            others = self.profile.tables[other][0]
            if name in others:
                arcs = self.arcs(by)
                if arcs is None:
                    return None
                for index in (arcs, (len(arcs), *arcs)):
                    if any(index in self.device.column(oid) for oid in others.values()):
                        return self.device.column(others[name]).get(index)
                return None
        raise KeyError(name)

    def arcs(self, key):
        if key == "index":
            return self.index
        part = re.fullmatch(r"index\.(\d+)(?:-(\d+))?", key)
        if part:
            first, last = int(part[1]), int(part[2] or part[1])
            return self.index[first - 1:last] if len(self.index) >= last else None
        value = self.cell(key)
        return (value,) if isinstance(value, int) else None if value is None else tuple(value)

    def written(self, name):
        value = self.cell(name)
        if value is None:
            return None
        if isinstance(value, int):
            return str(value)
        if isinstance(value, tuple):
            return dotted(value)
        stripped = value.rstrip(b"\0")
        if all(byte >= 32 and byte != 127 or byte in b"\t\n\x0c\r" for byte in stripped):
            return squeezed(value)
        return mac_text(value) if len(value) == 6 else value.hex()


class NotANumber(Exception):
    pass


class Missing(Exception):
    pass


def number(value):
    if isinstance(value, int):
        return float(value)
    if isinstance(value, bytes):
        found = re.match(r"[-+]?\d[\d.]*", squeezed(value).rsplit(": ", 1)[-1])
        if found:
            try:
                return float(found[0])
            except ValueError:
                pass
    raise NotANumber


def computed(expression, row, invalid):
    names = {}
    for name in re.findall(r"[A-Za-z]\w*", expression):
        if name == "log10":
            continue
        value = row.cell(name)
        if value is None or row.written(name) in ("", *map(str, invalid)):
            raise Missing
        names[name] = number(value)
    pythonic = re.sub(r"(?<![\w.])(\d+)(?![\w.])", r"\1.0", expression).replace("^", "**")
    try:
        value = eval(pythonic, {"__builtins__": {}, "log10": math.log10}, names)
    except (ZeroDivisionError, ValueError, OverflowError) as error:
        raise NotANumber from error
    if not math.isfinite(value):
        raise NotANumber
    return value


def thousandths(value):
    milli = value * 1000
    return int(math.copysign(math.floor(abs(milli) + 0.5), milli))


def fits(wanted, found):
    if isinstance(wanted, str) and wanted[:1] in "<>" and wanted[1:]:
        try:
            return float(found) > float(wanted[1:]) if wanted[0] == ">" else float(found) < float(wanted[1:])
        except ValueError:
            return False
    return str(wanted) == found


def holds(entry, row):
    for key, expected in (("when", True), ("unless", False)):
        for name, values in entry.get(key, {}).items():
            found = row.written(name)
            if (found is not None and any(fits(value, found) for value in listed(values))) != expected:
                return False
    return True


def filled(templates, row, entry):
    for template in listed(templates or []):
        out = ""
        for literal, name in re.findall(r"([^{}]+)|\{([^{}]*)\}", template):
            if literal:
                out += literal
                continue
            if name in ("entity", "interface"):
                arcs = row.arcs(entry.get(name, "index"))
                single = arcs if arcs is not None and len(arcs) == 1 else None
                part = None if single is None else \
                    row.device.part(single) if name == "entity" else row.device.interfaces.get(single[0])
            elif re.fullmatch(r"index(\.\d+(-\d+)?)?", name):
                arcs = row.arcs(name)
                part = None if arcs is None else dotted(arcs)
            else:
                part = row.written(name)
            if not part:
                out = None
                break
            out += part
        if out is not None:
            return out
    return None


def rows_of(device, profile, table):
    if table is None:
        return [Row(device, profile, None, ())]
    columns = profile.tables[table][0].values()
    return [Row(device, profile, table, index) for index in sorted({index for oid in columns for index in device.column(oid)})]


def reading(sensor, row, source):
    if not holds(sensor, row):
        return None
    state = None
    if "state" in sensor:
        found = row.written(sensor["state"]["column"])
        meanings = {str(value): word for word in ("normal", "warning", "critical", "absent")
                    for value in listed(sensor["state"].get(word, []))}
        state = meanings.get(found)
    milli, invalid = None, listed(sensor.get("invalid", []))
    if "value" in sensor:
        try:
            value = computed(sensor["value"], row, invalid)
            low, high = sensor.get("range", (-math.inf, math.inf))
            if not low <= value <= high:
                return None
            milli = thousandths(value)
        except Missing:
            pass
        except NotANumber:
            return None
    if milli is None and state is None:
        return None
    limits = {}
    for limit in LIMITS:
        try:
            limits[limit] = thousandths(computed(sensor[limit], row, invalid)) if limit in sensor else None
        except (Missing, NotANumber):
            limits[limit] = None
    if state is None and milli is not None and any(value is not None for value in limits.values()):
        below = lambda name: limits[name] is not None and milli < limits[name]
        above = lambda name: limits[name] is not None and milli >= limits[name]
        state = "critical" if below("low_critical") or above("high_critical") else \
            "warning" if below("low_warning") or above("high_warning") else "normal"
    index = dotted(row.index) if row.index else "0"
    return {"kind": sensor["kind"], "name": filled(sensor.get("name"), row, sensor) or f"{source} {index}",
            "value": None if milli is None else milli / 1000, "state": state, "source": source, "index": index,
            **{name: None if value is None else value / 1000 for name, value in limits.items()}}


def sensors_of(device, profile, given):
    found = []
    for sensor in profile.document.get("sensors", []):
        if sensor["kind"] in given:
            continue
        names = [name for name in re.findall(r"[A-Za-z]\w*", sensor.get("value", "")) if name != "log10"]
        names += [sensor["state"]["column"]] if "state" in sensor else []
        source = next((name for name in names if profile.table_of(name)), names[0])
        table = profile.table_of(source)
        found += [one for row in rows_of(device, profile, table) if (one := reading(sensor, row, source))]
    return found[:READINGS_MAX]


def sensors(device, profile):
    found = sensors_of(device, profile, set()) if profile else []
    found += sensors_of(device, profiles()["standard"], {one["kind"] for one in found})
    uses = {}
    for one in found:
        uses[one["kind"], one["name"]] = uses.get((one["kind"], one["name"]), 0) + 1
    return [one | {"name": f"{one['name']} ({one['index']})"} if uses[one["kind"], one["name"]] > 1 else one for one in found]


def as_card(octets):
    if octets is None:
        return None
    octets = bytes(octets)
    if len(octets) != 6:
        if octets and octets[0] == len(octets) - 1:
            octets = octets[1:]
        if len(octets) != 6:
            digits = re.sub(rb"[^0-9A-Fa-f]", b"", octets)
            octets = bytes.fromhex(digits.decode()) if len(digits) == 12 else b""
    return mac_text(octets) if len(octets) == 6 and any(octets) else None


def as_address(octets):
    if octets is None or len(octets) != 4 or not any(octets):
        return None
    return ".".join(map(str, octets))


def whole(entry, key, row, low, high):
    try:
        value = computed(entry[key], row, listed(entry.get("invalid", []))) if key in entry else None
    except (Missing, NotANumber):
        return None
    if value is None:
        return None
    rounded = int(math.copysign(math.floor(abs(value) + 0.5), value))
    return rounded if low <= rounded <= high else None


def station(entry, row):
    mac = as_card(row.arcs(entry["mac"]))
    if mac is None or int(mac[:2], 16) & 1 or not holds(entry, row):
        return None
    point = entry.get("access_point_mac")
    vlan = row.cell(entry["vlan"]) if "vlan" in entry else None
    return {"mac": mac, "ip": as_address(row.arcs(entry["ip"])) if "ip" in entry else None,
            "access_point_mac": as_card(row.cell(point)) if point else None,
            **{name: filled(entry.get(name), row, {}) for name in ("access_point", "ssid", "radio", "user")},
            "vlan": vlan if isinstance(vlan, int) and 1 <= vlan <= 4094 else None,
            "signal_dbm": whole(entry, "signal_dbm", row, -120, 0),
            "receive_kbps": whole(entry, "receive_kbps", row, 1, 10 ** 15),
            "transmit_kbps": whole(entry, "transmit_kbps", row, 1, 10 ** 15),
            "source": row.table, "index": dotted(row.index)}


def more_addresses(device, profile, standard):
    """Returns the addresses of tables beside the standard ones, of the versions of IP that those, `standard`, have none of."""
    given, found = {ipaddress.ip_address(row["ip"]).version for row in standard}, []
    for one in filter(None, (profile, profiles()["standard"])):
        rows = []
        for entry in one.document.get("addresses", []):
            if entry["version"] not in given:
                rows += [address(entry, row) for row in rows_of(device, one, entry["table"]) if address(entry, row)]
        given |= {ipaddress.ip_address(row["ip"]).version for row in rows}
        found += rows
    return found


def address(entry, row):
    octets, if_index = row.arcs(entry["ip"]), row.arcs(entry["interface"])
    mac = as_card(row.cell(entry["mac"]) if not entry["mac"].startswith("index") else row.arcs(entry["mac"]))
    if not holds(entry, row) or mac is None or int(mac[:2], 16) & 1 or not octets or not any(octets):
        return None
    if len(octets) != {4: 4, 6: 16}[entry["version"]] or max(octets) > 255 or if_index is None or len(if_index) != 1:
        return None
    return {"ip": str(ipaddress.ip_address(bytes(octets))), "zone": None, "mac": mac, "if_index": if_index[0],
            "interface": row.device.interfaces.get(if_index[0]), "type": None}


def profile_of(recording):
    """Returns the profile by the enterprise number, else by what it recognises; None where none knows the device."""
    object_id = recording.get(parse_oid(SYS_OBJECT_ID))
    object_id = object_id if isinstance(object_id, tuple) else ()
    number_of = object_id[6] if object_id[:6] == ENTERPRISES and len(object_id) > 6 else None
    vendors = [profile for profile in profiles().values() if profile.name != "standard"]
    for profile in vendors:
        if number_of in profile.enterprises:
            return profile
    description = recording.get(parse_oid(SYS_DESCR))
    description = squeezed(description) if isinstance(description, bytes) else None
    for answering in (False, True):
        for profile in vendors:
            for rule in profile.document.get("recognise", []):
                if ("answers" in rule) == answering and recognised(rule, profile, recording, object_id, description):
                    return profile
    return None


def recognised(rule, profile, recording, object_id, description):
    if "answers" in rule and not recording.get(profile.scalars[rule["answers"]]):
        return False
    if "description" in rule and (description is None or not re.search(rule["description"], description)):
        return False
    patterns = listed(rule.get("object_id", []))
    return not patterns or any(
        object_id[:len(wanted)] == wanted if pattern.endswith(".*") else object_id == wanted
        for pattern in patterns for wanted in [parse_oid(pattern.removesuffix(".*"))])


@functools.cache
def identifications():
    with open(HERE / "identification.csv", encoding="utf-8", newline="") as file:
        return {row["recording"]: {field: row[field] or None for field in FIELDS["identification"]}
                for row in csv.DictReader(line for line in file if not line.startswith("#"))}


def name_of(path):
    """Returns the recording's name, as serve.py puts it behind a number."""
    name = re.sub(r"^\d+-", "", pathlib.Path(path).name.split(".snmprec")[0])
    return name.split("-permuted-")[0]


def expected(path):
    recording, plain = load(path), read(path)
    device, profile = Device(recording, plain["interfaces"]), profile_of(recording)
    found = {"sensors": sensors(device, profile), "stations": [],
             "addresses": plain["addresses"] + more_addresses(device, profile, plain["addresses"])}
    for one in filter(None, (profile, profiles()["standard"])):
        for entry in one.document.get("stations", []):
            rows = rows_of(device, one, entry["table"])
            found["stations"] += [station(entry, row) for row in rows if station(entry, row)]
    known = identifications().get(name_of(path))
    return found | ({"identification": [known]} if known else {})
