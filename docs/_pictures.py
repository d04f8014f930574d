"""Draws docs/images/*.svg: ``.venv/bin/python docs/_pictures.py``. The pictures are committed.

Plain SVG with the reader's own sans-serif font and a light ground: it looks the same in the site, on a code
host and without a network.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

IMAGES = Path(__file__).resolve().parent / "images"
OURS, THEIRS, INK = "#0b5cad", "#5c6670", "#1c2329"


class Picture:
    """A picture that grows by boxes and arrows; coordinates are pixels, from the top left."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="14">',
            f"<title>{escape(title)}</title>",
            "<defs>",
            *(self._head(name, colour) for name, colour in (("ours", OURS), ("theirs", THEIRS))),
            "</defs>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff" stroke="#d5dade"/>',
        ]

    @staticmethod
    def _head(name: str, colour: str) -> str:
        return (
            f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
            f'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{colour}"/></marker>'
        )

    def box(self, x: int, y: int, width: int, height: int, *lines: str, fill: str = "#eef3f8") -> None:
        """A box with lines of text in its middle; the first one is bold."""
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="{INK}"/>'
        )
        first = y + height / 2 + 5 - 9 * (len(lines) - 1)
        for number, line in enumerate(lines):
            self.text(x + width // 2, int(first + 18 * number), line, bold=number == 0, anchor="middle")

    def text(
        self, x: int, y: int, line: str, *, bold: bool = False, anchor: str = "start", colour: str = INK
    ) -> None:
        """One line of text."""
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(line)}</text>'
        )

    def arrow(
        self,
        *points: tuple[int, int],
        label: str = "",
        at: tuple[int, int] | None = None,
        anchor: str = "middle",
        ours: bool = True,
        both: bool = False,
    ) -> None:
        """An arrow through points; what this project does is blue, what others do grey and dashed."""
        colour, name = (OURS, "ours") if ours else (THEIRS, "theirs")
        path = " ".join(f"{'L' if number else 'M'}{x} {y}" for number, (x, y) in enumerate(points))
        dashes = "" if ours else ' stroke-dasharray="5 4"'
        start = f' marker-start="url(#{name})"' if both else ""
        self._parts.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dashes}{start} '
            f'marker-end="url(#{name})"/>'
        )
        if label and at:
            self.text(*at, label, anchor=anchor, colour=colour)

    def save(self, name: str) -> None:
        """Write the picture."""
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / name).write_text("\n".join([*self._parts, "</svg>", ""]), encoding="utf-8")


def states() -> None:
    """The phases of a model, and who moves it."""
    picture = Picture(860, 400, "The phases of a hosted model and what moves it from one to the next")
    for x, y, name, meaning in (
        (40, 140, "STOPPED", "trained, not billed"),
        (350, 40, "STARTING", "coming up"),
        (350, 150, "FAILED", "hosting failed"),
        (350, 270, "STOPPING", "going down"),
        (660, 140, "RUNNING", "answers, billed"),
        (660, 270, "UPDATING", "by the service"),
        (40, 270, "ABSENT · UNREADY", "no model to host"),
    ):
        picture.box(x, y, 160, 54, name, meaning)
    picture.arrow((200, 152), (350, 76), label="Start", at=(262, 104), anchor="end")
    picture.arrow((510, 76), (660, 152), label="is up", at=(600, 104), anchor="start", ours=False)
    picture.arrow((450, 94), (450, 150), label="fails", at=(458, 126), anchor="start", ours=False)
    picture.arrow((400, 150), (400, 94), label="Start", at=(392, 126), anchor="end")
    picture.arrow(
        (715, 140), (715, 112), (765, 112), (765, 140), label="Resize, of a recommender", at=(748, 104)
    )
    picture.arrow((430, 204), (430, 270), label="Stop", at=(438, 242), anchor="start")
    picture.arrow((680, 194), (510, 288), label="Stop", at=(584, 236), anchor="end")
    picture.arrow((350, 288), (150, 194), label="is down", at=(258, 236), anchor="start", ours=False)
    picture.arrow(
        (740, 194), (740, 270), label="update", at=(748, 238), anchor="start", ours=False, both=True
    )
    picture.arrow((90, 270), (90, 194), label="trained", at=(82, 238), anchor="end", ours=False)
    picture.arrow((40, 362), (90, 362))
    picture.text(100, 367, "a call that a request makes", colour=OURS)
    picture.arrow((320, 362), (370, 362), ours=False)
    picture.text(380, 367, "what the service does by itself: a request waits", colour=THEIRS)
    picture.save("states.svg")


def architecture() -> None:
    """The parts at deploy time."""
    picture = Picture(860, 440, "From cdk deploy to a hosted model: the parts")
    picture.box(30, 30, 190, 60, "Your CDK app", "LookoutVisionModel(…)")
    picture.box(30, 190, 190, 70, "CloudFormation", "Custom::HostedModel")
    picture.box(340, 180, 200, 90, "Provider's function", "one a stack", "look, decide, act", fill="#dfeefb")
    picture.box(650, 180, 180, 90, "Model service", "Rekognition, Personalize", "or Lookout for Vision")
    picture.box(340, 350, 200, 60, "EventBridge rule", "one minute, while it starts")
    picture.box(340, 30, 200, 60, "Role and policy", "fenced by the tags")
    picture.box(650, 350, 180, 60, "The model's tags", "owner, request, closed", fill="#f7f1de")
    picture.arrow((125, 90), (125, 190), label="cdk deploy", at=(133, 144), anchor="start", ours=False)
    picture.arrow((220, 210), (340, 210), label="request", at=(280, 202), ours=False)
    picture.arrow((340, 245), (220, 245), label="one answer", at=(280, 264))
    picture.arrow((540, 210), (650, 210), label="start, stop", at=(595, 202))
    picture.arrow((650, 245), (540, 245), label="status", at=(595, 264), ours=False)
    picture.arrow((410, 270), (410, 350), label="put", at=(402, 315), anchor="end")
    picture.arrow((470, 350), (470, 270), label="next invocation", at=(478, 322), anchor="start", ours=False)
    picture.arrow((440, 90), (440, 180), label="what it may do", at=(448, 140), anchor="start", ours=False)
    picture.arrow((740, 270), (740, 350), label="lease", at=(748, 315), anchor="start", both=True)
    picture.save("architecture.svg")


if __name__ == "__main__":
    states()
    architecture()
