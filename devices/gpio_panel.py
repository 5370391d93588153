"""A front panel on a GPIO chip: two buttons, a lamp, a buzzer.  It stands for any, and is of nobody's make."""

from devshim import GpioChip, Line, every


class GpioPanel(GpioChip):
    """A panel: the program reads the buttons, which a test presses (or nobody), and drives lamp and buzzer."""

    label: str = "panel"
    press_every: float = 0      # seconds after which the button is pressed, or let go again; 0: by nobody

    button = Line(3, "BUTTON", pull="down")                     # 1 is pressed
    stop   = Line(4, "STOP_N", pull="up", active_low=True)      # to ground: 1, pressed, is a low level
    lamp   = Line(17, "LAMP")
    buzzer = Line(18, "BUZZER", only="output")                  # behind a transistor

    flashes = 0                 # how often the lamp went on
    buzzed = 0                  # how often the buzzer sounded

    @lamp.changed
    def count_flashes(self):
        self.flashes += self.lamp

    @buzzer.changed
    def count_buzzes(self):
        self.buzzed += self.buzzer

    @every(seconds="press_every")
    def press(self):
        self.button = not self.button
