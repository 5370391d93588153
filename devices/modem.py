"""A cellular modem with AT commands.  ITU-T V.250; 3GPP TS 27.007 (network, SIM), TS 27.005 (short messages)."""

import re

from devshim import Serial, command

# One command of a line: +NAME with its operand, D with all that follows, S register, or a letter and a number.
COMMAND = re.compile(
    r"""\s*(?:(?P<plus>\+[A-Z]+)(?P<operand>=\?|\?|=(?:"[^"]*"|[^;"])*)?\s*(?:;|$)
        |(?P<dial>D)(?P<number>.*)|S(?P<register>\d+)(?P<setting>\?|=\d+)|(?P<basic>&?[A-Z])(?P<value>\d*))""",
    re.IGNORECASE | re.VERBOSE,
)
CODES = ("OK", "CONNECT", "RING", "NO CARRIER", "ERROR", None, "NO DIALTONE", "BUSY", "NO ANSWER")
CME = {"operation not allowed": 3, "SIM PIN required": 11, "incorrect password": 16, "invalid index": 21}
CMS = {"SIM PIN required": 311, "invalid memory index": 321}
NETWORK = "00101"   # the test network's number
CTRL_Z, ESCAPE = b"\x1a", b"\x1b"


class Ends(Exception):
    """A command line ends here, with this result instead of OK."""


class Modem(Serial):
    """Answers AT commands; ring(), text() and hang_up() let things happen at the other end."""

    manufacturer: str = "devshim"
    model: str = "AT modem"
    imei: str = "490154203237518"
    imsi: str = "001010123456063"   # the SIM's, of test network 001 01
    operator: str = "Testnet"
    signal: int = 20             # as AT+CSQ gives it: 0 to 31, 99 unknown
    registered: bool = True      # in the home network
    pin: str = ""                # the SIM's; empty: it asks for none
    connects: bool = False       # whether somebody answers what ATD dials
    guard: float = 1.0           # seconds of silence around +++

    cd = False
    online = False               # connected, and what comes is data
    on_call = False
    unlocked = False
    typed = b""
    prompt = None                # the number of a message whose text is being sent
    escaping = None              # the timer that runs out when +++ was an escape
    quiet = True                 # nothing was sent for the guard time
    silences = 0                 # counted, so that only the last one's timer tells
    registration_news = packet_news = 0
    area, cell = 0xC3, 0xA1B2    # where on the network
    functions = 1                # of AT+CFUN: 0 least, 1 all, 4 no radio
    characters = "GSM"           # of AT+CSCS
    naming = 0                   # of AT+COPS: 0 long, 1 short, 2 as a number
    heard = b""                  # data of calls

    def setup(self):
        self.messages = []       # (number, text) on the SIM; None where one was deleted
        self.sent = []           # (number, text) of what went out by AT+CMGS
        self.unlocked = not self.pin
        self.factory(0)

    # ---- Ways in: command lines, the text of a message, data of a call

    def received(self, data):
        if self.online:
            return self.carried(data)
        if self.prompt is not None:
            return self.written(data)
        for piece in re.findall(rb"[^\r\n\x1a\x1b]+|.", data, re.DOTALL):
            if self.online or self.prompt is not None:
                return self.received(data)
            # Only what can become a command is echoed, or a terminal that echoes too would go on for ever.
            if self.echoing and (self._lines.rest or piece)[:1] in b"Aa":
                self.send(piece)
            super().received(piece)
            data = data[len(piece):]
        return None

    @command(r"(?i)\s*AT(.*)")
    def line(self, commands):
        """All commands of one line, until one fails."""
        self.typed, at = b"", 0
        try:
            while at < len(commands.rstrip()):
                match = COMMAND.match(commands, at)
                if match is None:
                    raise Ends("ERROR")
                for text in self.perform(match) or ():
                    yield self.information(text)
                at = match.end()
        except Ends as end:
            yield self.result(str(end))
        else:
            yield self.result("OK")

    def perform(self, match):
        if match["plus"]:
            method, operand = match["plus"][1:].lower(), match["operand"] or ""
        elif match["dial"]:
            return self.dial(match["number"].strip())
        elif match["register"]:
            return self.register(int(match["register"]), match["setting"])
        else:
            method, operand = match["basic"].lower().replace("&", "and_"), int(match["value"] or 0)
        handler = getattr(self, "at_" + method, None)
        if handler is None:
            raise Ends("ERROR")
        return handler(operand)

    def information(self, text):
        return f"\r\n{text}\r\n".encode() if self.verbose else f"{text}\r\n".encode()

    def result(self, code):
        """A result code as ATQ and ATV want it; "" is none."""
        if self.mute or not code:
            return None
        if not self.verbose and code in CODES:
            return f"{CODES.index(code)}\r".encode()
        return f"\r\n{code}\r\n".encode()

    def tell(self, code):
        """An unsolicited result."""
        self.say(self.result(code))

    def fail(self, what, family="CME", codes=CME):
        """End with an error as AT+CMEE wants it."""
        detail = ("", f"+{family} ERROR: {codes[what]}", f"+{family} ERROR: {what}")[self.errors]
        raise Ends(detail or "ERROR")

    def on_network(self):
        """Whether the SIM is open, the network takes it, and the radio is on."""
        return self.registered and self.unlocked and self.functions == 1

    # ---- V.250

    def factory(self, _):
        self.echoing, self.verbose, self.mute, self.errors, self.text_mode, self.news = True, True, False, 0, 0, 0
        self.registers = {0: 0, 2: 43, 3: 13, 4: 10, 5: 8, 7: 50}

    at_z = at_and_f = factory

    def at_e(self, on):
        self.echoing = bool(on)

    def at_v(self, on):
        self.verbose = bool(on)

    def at_q(self, on):
        self.mute = bool(on)

    def at_i(self, _):
        return [self.manufacturer, self.model, f"IMEI: {self.imei}"]

    def register(self, number, setting):
        if setting == "?":
            return [f"{self.registers.get(number, 0):03d}"]
        self.registers[number] = int(setting[1:])
        return None

    def dial(self, number):
        if not self.unlocked:
            self.fail("SIM PIN required")
        if number.endswith(";"):
            self.on_call = True
            return
        if not (self.on_network() and self.connects):
            raise Ends("NO CARRIER")
        self.connect()

    def at_a(self, _):
        if not self.ri:
            raise Ends("NO CARRIER")
        self.connect()

    def connect(self):
        self.ri, self.cd, self.online, self.on_call, self.quiet = False, True, True, True, False
        self.wait_quiet()
        raise Ends("CONNECT")

    def at_h(self, _):
        self.drop()

    def at_o(self, _):
        if not self.cd:
            raise Ends("NO CARRIER")
        self.online = True
        raise Ends("CONNECT")

    def drop(self):
        self.online = self.on_call = self.cd = self.ri = False

    # ---- A call

    def carried(self, data):
        """Data of a call; three + between silences bring the command line back (S2)."""
        if self.escaping:
            self.escaping.cancel()
            self.escaping = None
        if self.quiet and data == bytes([self.registers[2]]) * 3:
            self.escaping = self.after(self.guard, self.escaped)
            return
        self.quiet = False
        self.wait_quiet()
        self.heard += data

    def wait_quiet(self):
        self.silences += 1
        self.after(self.guard, self.became_quiet, self.silences)

    def became_quiet(self, which):
        self.quiet = which == self.silences

    def escaped(self):
        self.escaping, self.online = None, False
        self.tell("OK")

    def lines_changed(self):
        if not self.dtr and self.cd:   # AT&D2
            self.drop()

    # ---- The other end

    def ring(self):
        """Somebody calls: one ring; AT A or S0=1 answers."""
        self.ri = True
        self.tell("RING")
        if self.registers[0]:
            try:
                self.connect()
            except Ends as end:
                self.tell(str(end))

    def hang_up(self):
        """The other end hangs up, or gives up ringing."""
        was_connected = self.cd
        self.drop()
        if was_connected:
            self.tell("NO CARRIER")

    def text(self, number, message):
        """A short message comes in."""
        self.messages.append((number, message))
        if self.news:
            self.say(self.information(f'+CMTI: "SM",{len(self.messages)}'))

    # ---- 27.007: identity, SIM, network

    def at_cgmi(self, operand):
        return [self.manufacturer][: not operand]   # =? is answered with OK alone

    def at_cgmm(self, operand):
        return [self.model][: not operand]

    def at_cgmr(self, operand):
        return ["1.0"][: not operand]

    def at_cgsn(self, operand):
        return [self.imei][: not operand]

    def at_cimi(self, operand):
        if not self.unlocked:
            self.fail("SIM PIN required")
        return [self.imsi][: not operand]

    at_gmi, at_gmm, at_gmr, at_gsn = at_cgmi, at_cgmm, at_cgmr, at_cgsn

    def at_cmee(self, operand):
        return self.choice("+CMEE", operand, "errors", (0, 1, 2))

    def choice(self, name, operand, attribute, values):
        """A setting that is read with ?, set with =, and whose values =? lists."""
        if operand == "?":
            return [f"{name}: {getattr(self, attribute)}"]
        if operand == "=?":
            return [f"{name}: ({','.join(map(str, values))})"]
        if operand[1:] not in map(str, values):
            self.fail("operation not allowed")
        setattr(self, attribute, int(operand[1:]))
        return None

    def at_cfun(self, operand):
        return self.choice("+CFUN", operand, "functions", (0, 1, 4))

    def at_cscs(self, operand):
        if operand == "?":
            return [f'+CSCS: "{self.characters}"']
        if operand == "=?":
            return ['+CSCS: ("GSM","IRA")']
        if operand not in ('="GSM"', '="IRA"'):
            self.fail("operation not allowed")
        self.characters = operand[2:-1]
        return None

    def at_cpin(self, operand):
        if operand == "?":
            return ["+CPIN: " + ("READY" if self.unlocked else "SIM PIN")]
        if operand != "=?":
            if operand[1:].strip('"') != self.pin:
                self.fail("incorrect password")
            self.unlocked = True
        return None

    def at_csq(self, operand):
        return ["+CSQ: (0-31,99),(0-7,99)" if operand == "=?" else f"+CSQ: {self.signal},99"]

    def at_creg(self, operand):
        return self.registration("+CREG", operand, "registration_news")

    def at_cgreg(self, operand):
        return self.registration("+CGREG", operand, "packet_news")

    def at_cgatt(self, operand):
        if operand == "=?":
            return ["+CGATT: (0,1)"]
        return [f"+CGATT: {int(self.on_network())}"] if operand == "?" else None

    def registration(self, name, operand, news):
        """Whether it is in the home network, and with =2 in which area and cell."""
        if operand != "?":
            return self.choice(name, operand, news, (0, 1, 2))
        asked, here = getattr(self, news), self.on_network()
        place = f',"{self.area:04X}","{self.cell:08X}"' if asked == 2 and here else ""
        return [f"{name}: {asked},{int(here)}{place}"]

    def at_cops(self, operand):
        if operand == "?":
            name = NETWORK if self.naming == 2 else self.operator
            return [f'+COPS: 0,{self.naming},"{name}"' if self.on_network() else "+COPS: 0"]
        if operand == "=?":
            return [f'+COPS: (2,"{self.operator}","{self.operator}","{NETWORK}")']
        if operand in ("=3,0", "=3,1", "=3,2"):
            self.naming = int(operand[-1])
        return None

    # ---- 27.005: short messages, in text mode

    def at_cmgf(self, operand):
        return self.choice("+CMGF", operand, "text_mode", (0, 1))

    def at_cnmi(self, operand):
        if operand == "?":
            return [f"+CNMI: 2,{self.news},0,0,0"]
        if operand != "=?":
            self.news = int(f"{operand[1:]},0".split(",")[1] or 0)
        return None

    def at_cmgs(self, operand):
        if operand == "=?":
            return
        if not self.unlocked:
            self.fail("SIM PIN required", "CMS", CMS)
        number = re.fullmatch(r'="(\+?\d+)"(?:,\d+)?', operand)
        if not self.text_mode or number is None:
            raise Ends("ERROR")
        self.prompt = number[1]
        self.send(b"\r\n> ")
        raise Ends("")

    def written(self, data):
        """The text of a message, to the Ctrl-Z that sends it or the Escape that does not."""
        text, end, rest = re.fullmatch(rb"([^\x1a\x1b]*)([\x1a\x1b]?)(.*)", data, re.DOTALL).groups()
        if self.echoing:
            self.send(text)
        self.typed += text
        if not end:
            return
        number, self.prompt = self.prompt, None
        if end == CTRL_Z:
            self.sent.append((number, self.typed.replace(b"\r", b"\n").replace(b"\n\n", b"\n").decode().strip("\n")))
            self.say(self.information(f"+CMGS: {len(self.sent)}"))
        self.tell("OK")
        if rest:
            self.received(rest)

    def at_cmgr(self, operand):
        number, message = self.message(operand)
        return [f'+CMGR: "REC READ","{number}",,""\r\n{message}']

    def at_cmgl(self, operand):
        for index, kept in enumerate(self.messages, 1):
            if kept and operand != "=?":
                yield f'+CMGL: {index},"REC READ","{kept[0]}",,""\r\n{kept[1]}'

    def at_cmgd(self, operand):
        self.message(operand)
        self.messages[int(operand[1:].split(",")[0]) - 1] = None

    def message(self, operand):
        index = operand[1:].split(",")[0]
        if not (index.isdigit() and 0 < int(index) <= len(self.messages) and self.messages[int(index) - 1]):
            self.fail("invalid memory index", "CMS", CMS)
        return self.messages[int(index) - 1]
