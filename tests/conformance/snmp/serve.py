"""Serves recordings with snmpsim on a free port of the loopback: what is served of a recording, and the simulator."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import permute_recording
from recording import lines_of, snmprec_value

READY_SECONDS_MAX = 600


def data_directory():
    try:
        import snmpsim_data
    except ImportError:
        sys.exit("snmpsim-data is not installed in this Python: pip install 'snmpsim==1.2.*' snmpsim-data==1.0.1")
    return pathlib.Path(snmpsim_data.__file__).parent / "data"


def without_ending(path):
    return path.name.split(".snmprec")[0]


def all_recordings():
    """Returns {name below the data directory, without ending: file} of every recording of snmpsim-data."""
    found = sorted(data_directory().rglob("*.snmprec*"))
    return {str((path.parent / without_ending(path)).relative_to(data_directory())): path for path in found}


def find(device):
    if pathlib.Path(device).is_file():
        return pathlib.Path(device)
    for end in (".snmprec.bz2", ".snmprec"):
        path = data_directory() / (device + end)
        if path.is_file():
            return path
    sys.exit(f"no recording {device!r}: name a file, or one below snmpsim_data/data without its ending")


def prepare(path, name, served, permutations, seed):
    """Writes what is to be served: what `inspect` may read, and the object after each part, where a walk must end;
    the rest would only cost snmpsim minutes of indexing. Returns [(community, file, renaming or None, note)]."""
    whole, note = served / f"{name}.snmprec", ""
    recorded = [(oid, line) for oid, line in lines_of(path, permute_recording.READ) if not varies(line)]
    lines = [(oid, line) for oid, line in recorded if readable(line)]
    if len(lines) < len(recorded):
        note = f"without {len(recorded) - len(lines)} objects that are not what their type says, which snmpsim cannot serve"
    if len({oid for oid, _ in lines}) == len(lines):
        whole.write_bytes(b"".join(exact(line) for _, line in lines))
    else:
        note = "names objects twice, so it is put in order"
        permute_recording.write(whole, permute_recording.objects_of(path))
    cases = [(name, whole, None, note)]
    for number in range(permutations):
        copy = served / f"{name}-permuted-{number}.snmprec"
        renaming = permute_recording.permute(path, copy, seed + number)
        cases.append((copy.stem, copy, renaming, f"seed {seed + number}"))
    return cases


def readable(line):
    """Returns whether a line holds a value of the type that it says."""
    try:
        snmprec_value(line)
    except ValueError:
        return False
    return True


def exact(line):
    """Returns a line whose text is served as recorded: snmpsim would strip the blanks at its ends."""
    name, tag, text = line.rstrip(b"\r\n").split(b"|", 2)
    if tag == b"4" and text != text.strip():
        return b"%s|4x|%s\n" % (name, text.hex().encode())
    return line


def varies(line):
    """Returns whether snmpsim makes the value up as it goes: such an object is not served."""
    return b":" in line.split(b"|", 2)[1]


class Simulator:
    """snmpsim-command-responder on a free port."""

    def __init__(self, served, cache, log):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = pathlib.Path(sys.executable).parent / "snmpsim-command-responder"
        if not command.exists():
            sys.exit("snmpsim is not installed in this Python: pip install 'snmpsim==1.2.*'")
        arguments = [str(command), f"--data-dir={served}", f"--cache-dir={cache}",
                     f"--agent-udpv4-endpoint=127.0.0.1:{self.port}", "--logging-method=null"]
        if os.geteuid() == 0:
            arguments += ["--process-user=root", "--process-group=root"]
        self.log = open(log, "wb")
        self.process = subprocess.Popen(arguments, stdout=self.log, stderr=self.log, start_new_session=True)

    def wait_for(self, community):
        """Waits until the recording is indexed and answers."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(2)
            while time.monotonic() < deadline:
                if self.process.poll() is not None:
                    raise RuntimeError(f"snmpsim ended with status {self.process.returncode}: see {self.log.name}")
                asking.sendto(get_sys_uptime(community), ("127.0.0.1", self.port))
                try:
                    asking.recv(2048)
                    return
                except TimeoutError:
                    continue
        raise RuntimeError(f"snmpsim did not serve {community} within {READY_SECONDS_MAX} s: see {self.log.name}")

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.log.close()


def get_sys_uptime(community):
    """Returns an SNMPv2c GetRequest of sysUpTime.0."""
    tlv = lambda tag, content: bytes([tag, len(content)]) + content
    varbind = tlv(0x30, tlv(0x06, bytes([0x2b, 6, 1, 2, 1, 1, 3, 0])) + tlv(0x05, b""))
    pdu = tlv(0xa0, tlv(2, b"\x2a") + tlv(2, b"\0") + tlv(2, b"\0") + tlv(0x30, varbind))
    return tlv(0x30, tlv(2, b"\x01") + tlv(4, community.encode()) + pdu)
