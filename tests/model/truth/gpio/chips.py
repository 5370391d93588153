"""The chips on which the transcripts of this folder were taken, as models: gpio-sim with two banks."""

from devshim import GpioChip, Line


class Refbank(GpioChip):
    """The first bank: three names, a hog, four lines without a name.

    pressed   the button's line is pulled up at first, else down
    led_out   a program has left the led an output
    stimulus  what happens to the button once a program looks for its edges, a word each 50 ms: up, down
    """

    pressed: bool = False
    led_out: bool = False
    stimulus: str = ""

    label: str = "refbank"
    number_of_lines: int = 8
    button, led, reset = Line(0, "button"), Line(1, "led"), Line(2, "reset")
    hogged = Line(3, "hogged", used="hog-owner", output=True, value=1)

    def setup(self):
        self.button = self.pressed or None
        self.line("led").output = self.led_out

    def requested(self, line):
        if line.offset == 0 and line.edges is not None:
            for number, word in enumerate(self.stimulus.split()):
                self.after(0.05 * (number + 1), self.pull, word)

    def pull(self, word):
        self.button = int(word == "up")


class Node1(GpioChip):
    """The second bank."""

    label: str = "gpio-sim.0-node1"
    number_of_lines: int = 4
