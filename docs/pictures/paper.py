"""How pictures are kept: few colours, small files."""

import math
import sys
from collections import Counter
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parent
MAX_BYTES = 150_000


def keep(picture: Image.Image, path: Path) -> None:
    """Write the picture with its 256 most frequent colours, and only the edges of letters rounded to them."""
    raw, size = picture.tobytes(), picture.size
    pixels = list(zip(raw[0::3], raw[1::3], raw[2::3], strict=True))
    found = Counter(pixels)
    kept = [colour for colour, _ in found.most_common(256)]
    nearest = {colour: min(range(len(kept)), key=lambda n: math.dist(kept[n], colour)) for colour in found}
    few = Image.frombytes("P", size, bytes(nearest[pixel] for pixel in pixels))
    few.putpalette([part for colour in kept for part in colour])  # Pillow's own reduction shifts every colour a little
    few.save(path, optimize=True)
    weight = path.stat().st_size
    print(f"{path.relative_to(FOLDER.parent.parent)}: {weight / 1000:.0f} kB")
    if weight > MAX_BYTES:
        sys.exit(f"{path.name} is larger than {MAX_BYTES / 1000:.0f} kB.")
