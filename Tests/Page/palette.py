"""Pictures with 256 colours: a page has few of them, and its picture is then a third as large."""

import base64
import struct
import zlib

# Gives the size, the palette and the index of each pixel. The palette takes in, again and again, the colour that it renders worst, weighed by its pixels.
INDEXED = """(async () => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,%s')).blob());
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const times = new Map();
  for (const pixel of pixels) times.set(pixel, (times.get(pixel) ?? 0) + 1);
  const colours = [...times].map(([colour, count]) => ({ colour, count, parts: [colour & 255, colour >> 8 & 255, colour >> 16 & 255], error: 1e6, place: 0 }));
  const palette = [];
  while (palette.length < 256) {
    const worst = colours.reduce((a, b) => a.count * a.error >= b.count * b.error ? a : b);
    for (const one of colours) {
      const error = one.parts.reduce((sum, part, index) => sum + (part - worst.parts[index]) ** 2, 0);
      if (error < one.error) Object.assign(one, { error, place: palette.length });
    }
    palette.push(worst.parts);
  }
  const places = new Map(colours.map(one => [one.colour, one.place]));
  const text = [];
  for (let start = 0; start < pixels.length; start += 30000) {
    text.push(btoa(String.fromCharCode(...pixels.subarray(start, start + 30000).values().map(pixel => places.get(pixel)))));
  }
  return { width: image.width, height: image.height, palette: palette.flat(), text };
})()"""


def reduced(page, png):
    """The same picture as a PNG with a palette; any page may do the work."""
    found = page.value(INDEXED % base64.b64encode(png).decode())
    pixels = b"".join(base64.b64decode(text) for text in found["text"])
    width, height = found["width"], found["height"]
    # Each row begins with its filter: none.
    rows = b"".join(b"\0" + pixels[row * width:(row + 1) * width] for row in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) + chunk(b"PLTE", bytes(found["palette"]))
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
