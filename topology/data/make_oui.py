#!/usr/bin/env python3
"""Makes `oui.bin`, the table behind `vendor.rs`, from the lists of the IEEE Registration Authority.

Use:    apt-get install ieee-data
        topology/data/make_oui.py /usr/share/ieee-data topology/data/oui.bin

Input:  oui.csv (MA-L, 24 bits), mam.csv (MA-M, 28 bits), oui36.csv (MA-S, 36 bits) and iab.csv (the older blocks of
        36 bits), as IEEE publishes them and Debian packs them: Registry,Assignment,Organization Name,Address. IEEE
        does not restrict the distribution of these lists.
Output: the same bytes for the same input. All numbers are big-endian:
          u32 x 4                 number of MA-L, MA-M and MA-S prefixes, number of names
          for each of the three:  the prefixes, sorted, 3, 4 or 5 bytes each, the bits at the low end; then a u16 each,
                                  the index of the name
          (names + 1) x u24       where each name starts in the pool; the last one is the pool's length
          the pool                UTF-8, in the order of the names

Names are made short and readable: legal forms at the end go ("Co., Ltd.", "GmbH", "Inc."), shouting is lowered, and
the vendors that this network is full of have the name that people use (`KNOWN`). Blocks assigned to "Private", and
those that IEEE keeps in order to assign parts of them, have no vendor and are left out.
"""

import csv
import re
import struct
import sys
from pathlib import Path

SOURCES = [("oui.csv", 6), ("mam.csv", 7), ("oui36.csv", 9), ("iab.csv", 9)]
NOBODY = {"", "private", "ieee registration authority"}

# The first pattern that matches the start of the whole name, case ignored, decides.
KNOWN = [
    (r"huawei device", "Huawei Device"),
    (r"huawei symantec", "Huawei Symantec"),
    (r"huawei technologies", "Huawei"),
    (r"(hangzhou|new) h3c\b", "H3C"),
    (r"(ruijie networks|fujian star-net communication|fujian star terminal)", "Ruijie"),
    (r"(zte corporation|shanghai zte technologies)", "ZTE"),
    (r"(maipu communication|chengdu maipu)", "Maipu"),
    (r"(digital china|beijing digital china)", "Digital China"),
    (r"cisco.linksys", "Linksys"),
    (r"cisco meraki", "Cisco Meraki"),
    (r"cisco (systems|spvtg)", "Cisco"),
    (r"aruba\b", "Aruba"),
    (r"hewlett packard enterprise", "HPE"),
    (r"(hewlett packard|hp inc)", "HP"),
    (r"juniper networks", "Juniper"),
    (r"beijing topsec", "Topsec"),
    (r"beijing venustech", "Venustech"),
    (r"sangfor", "Sangfor"),
    (r"nsfocus", "NSFOCUS"),
    (r"hillstone", "Hillstone"),
    (r"(hangzhou|prama) hikvision", "Hikvision"),
    (r"zhejiang dahua technology", "Dahua"),
    (r"zhejiang uniview", "Uniview"),
    (r"polycom", "Polycom"),
    (r"intel corporat", "Intel"),
    (r"intel wireless network", "Intel"),
    (r"tp-link", "TP-Link"),
    (r"dell (inc|emc|technologies)", "Dell"),
    (r"lenovo\b", "Lenovo"),
    (r"(lcfc|lianbao)\b", "LCFC (Lenovo)"),
    (r"inspur\b", "Inspur"),
    (r"(hon hai|foxconn)", "Foxconn"),
    (r"asustek", "ASUS"),
    (r"giga-byte", "Gigabyte"),
    (r"micro-star int", "MSI"),
    (r"realtek", "Realtek"),
    (r"apple\b", "Apple"),
    (r"xiaomi", "Xiaomi"),
    (r"vivo mobile", "vivo"),
    (r"guangdong oppo", "OPPO"),
    (r"samsung electronics", "Samsung"),
    (r"vmware", "VMware"),
    (r"microsoft", "Microsoft"),
    (r"netgear", "NETGEAR"),
    (r"fiberhome", "FiberHome"),
    (r"(new |hangzhou )?3com\b", "3Com"),
    (r"brocade", "Brocade"),
    (r"extreme networks", "Extreme"),
    (r"d-link", "D-Link"),
    (r"american power conversion", "APC"),
    (r"super micro", "Supermicro"),
    (r"espressif", "Espressif"),
]

LEGAL = re.compile(
    r"[\s,.;/&，、]*(?:\b|(?<=[^\w]))(?:"
    r"co[.,\s]*ltda?|co[.，\s]*ltd|company,?\s*limited|co\.?,?\s*limited|company|co\.?\s*kg|co|"
    r"pte\.?\s*ltd|pty\.?\s*ltd|pvt\.?\s*ltd|p/l|private\s+limited|sdn\.?\s*bhd|bhd|"
    r"limited liability company|ltd|ltda|limited|lda|incorporated|incorporation|inc|corporation|corporate|corp|"
    r"llc|l\.l\.c|llp|lp|plc|gmbh|mbh|ag|kg|se|ohg|ug|a/s|aps|asa|as|a\.s|a\.ş|ab|oyj|oy|bv|b\.v|nv|n\.v|bvba|"
    r"s\.?r\.?l|s\.?p\.?a|s\.?a\.?s|s\.?a\.?u|s\.?a|s/a|s\.?l|s\.?l\.?u|s\.?r\.?o|spol\.?\s*s\.?\s*r\.?\s*o|a\.?s|"
    r"d\.?o\.?o|sp\.?\s*z\.?\s*o\.?\s*o|sp\.?\s*j|kft|zrt|k\.?k|sarl|jsc|ojsc|ooo|oao|zao|eirl|e\.?k|sti|"
    r"a/?s|cv|c\.v"
    r")[\s.,;)]*$",
    re.IGNORECASE,
)


def short(name):
    """Returns the name that a person would use, or None when there is no vendor."""
    name = re.sub(r"\s+", " ", name).strip(" \"'")
    if name.lower() in NOBODY:
        return None
    for pattern, known in KNOWN:
        if re.match(pattern, name, re.IGNORECASE):
            return known
    trimmed = name
    for _ in range(4):
        shorter = LEGAL.sub("", trimmed).strip(" ,.;/&，、")
        if len(shorter) < 2 or shorter == trimmed:
            break
        trimmed = shorter
    if trimmed.count("(") > trimmed.count(")"):
        trimmed += ")"
    return calm(trimmed.strip(" ,.;")) or None


def calm(name):
    """Lowers a name that is all capitals; short words stay, since they are mostly initials."""
    if name != name.upper():
        return name
    return re.sub(r"[^\W\d_]{5,}", lambda word: word.group().capitalize(), name)


def read(folder):
    """Returns prefix-length → {prefix: short name}."""
    tables = {6: {}, 7: {}, 9: {}}
    for file, digits in SOURCES:
        with open(folder / file, encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                name = short(row["Organization Name"])
                assignment = row["Assignment"]
                if len(assignment) != digits:
                    sys.exit(f"{file}: assignment {assignment!r} does not have {digits} digits")
                if name:
                    tables[digits].setdefault(int(assignment, 16), name)
    return tables


def merge_spellings(tables):
    """Gives names that differ in case or punctuation only the most common spelling."""
    spellings = {}
    for table in tables.values():
        for name in table.values():
            counts = spellings.setdefault(re.sub(r"[\W_]+", "", name.lower()) or name, {})
            counts[name] = counts.get(name, 0) + 1
    best = {}
    for counts in spellings.values():
        chosen = max(counts, key=lambda name: (counts[name], name))
        best.update({name: chosen for name in counts})
    for table in tables.values():
        for prefix, name in table.items():
            table[prefix] = best[name]


def pack(tables):
    """Returns the bytes of the file."""
    names = sorted({name for table in tables.values() for name in table.values()})
    index = {name: number for number, name in enumerate(names)}
    if len(names) > 0xFFFF:
        sys.exit("more names than a u16 can index: widen the index here and in vendor.rs")
    out = [struct.pack(">4I", *(len(tables[digits]) for digits in (6, 7, 9)), len(names))]
    for digits, width in ((6, 3), (7, 4), (9, 5)):
        rows = sorted(tables[digits].items())
        out.extend(prefix.to_bytes(width, "big") for prefix, _ in rows)
        out.extend(struct.pack(">H", index[name]) for _, name in rows)
    pool = [name.encode() for name in names]
    start = 0
    for name in pool:
        out.append(start.to_bytes(3, "big"))
        start += len(name)
    out.append(start.to_bytes(3, "big"))
    return b"".join(out + pool)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tables = read(Path(sys.argv[1]))
    merge_spellings(tables)
    packed = pack(tables)
    Path(sys.argv[2]).write_bytes(packed)
    print(f"{sum(map(len, tables.values()))} prefixes, {len(packed)} bytes")


if __name__ == "__main__":
    main()
