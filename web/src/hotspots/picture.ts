/** The map as a picture that explains itself: title, days and kinds above it, legend, scale and source below. */

import { handle } from "../map/handle";
import { scaleBar } from "../map/scale";
import { shot } from "../map/shot";
import { city, extent, language, t } from "../state/store";
import { answerLayer, main, second, shownPeriod, side } from "./answer";
import { legendOf, type ShownRow } from "./legend";
import { words } from "./methods";
import { question } from "./question";
import { categoriesText, clockText, periodText } from "./subject";

/** Pixels of the picture for each of the page: sharp on paper too. */
const SCALE = 2;
const MARGIN = 16;
const TOP = 62;
const LINE = 22;
const SWATCH = { width: 20, height: 13 };

export async function pictureOfMap(): Promise<Blob> {
  const map = handle.value?.map;
  if (!map) throw new Error(t("pictureFailed"));
  const drawing = await shot(map, SCALE);
  const [width, height] = [drawing.width / SCALE, drawing.height / SCALE];
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error(t("pictureFailed"));
  const pen = new Pen(context, width);
  const rows = pen.legendRows(legendOfPicture());
  const notes = notesOfPicture();
  const bottom = MARGIN + rows.length * LINE + notes.length * 17 + MARGIN;
  canvas.width = width * SCALE;
  canvas.height = (TOP + height + bottom) * SCALE;
  context.scale(SCALE, SCALE);
  pen.fill("--surface", 0, 0, width, TOP + height + bottom);
  pen.text(titleOfPicture(), MARGIN, 28, "650 18px", "--ink");
  pen.text(subjectOfPicture(), MARGIN, 49, "400 13px", "--ink-2");
  context.drawImage(drawing, 0, TOP, width, height);
  const { lat } = map.getCenter();
  pen.scale(scaleBar(map.getZoom(), lat, 120), width - MARGIN, TOP + height - 12);
  pen.legend(rows, TOP + height + MARGIN);
  notes.forEach((note, at) =>
    pen.text(note, MARGIN, TOP + height + MARGIN + rows.length * LINE + 14 + at * 17, "400 11px", "--ink-3"),
  );
  return await new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(t("pictureFailed")))), "image/png"),
  );
}

function legendOfPicture(): ShownRow[] {
  const layer = answerLayer.value;
  return layer ? legendOf(layer, main.answer.value?.run.summary ?? {}, language.value) : [];
}

function titleOfPicture(): string {
  const layer = answerLayer.value?.title[language.value];
  return [layer, city.value?.title[language.value]].filter(Boolean).join(" · ");
}

function subjectOfPicture(): string {
  const { categories, clock } = question.value;
  const days = shownPeriod.value ?? extent.value;
  return [
    days && periodText(days, language.value),
    side.value === "difference" && second.value && t("against", periodText(second.value, language.value)),
    categoriesText(categories, words.value, language.value),
    clockText(clock, language.value),
    main.answer.value && `n = ${main.answer.value.run.provenance.n.toLocaleString("en")}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function notesOfPicture(): string[] {
  return [
    answerLayer.value?.note?.[language.value],
    city.value?.synthetic ? t("syntheticLong") : undefined,
    city.value?.attribution,
  ].filter((note) => note !== undefined && note !== "") as string[];
}

interface Placed {
  row: ShownRow;
  x: number;
}

/** Draws with the page's own colours and type. */
class Pen {
  private readonly style = getComputedStyle(document.documentElement);

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly width: number,
  ) {}

  private token(name: string): string {
    return this.style.getPropertyValue(name).trim();
  }

  private font(font: string): void {
    this.context.font = `${font} ${this.token("--font")}`;
  }

  fill(color: string, x: number, y: number, width: number, height: number): void {
    this.context.fillStyle = this.token(color);
    this.context.fillRect(x, y, width, height);
  }

  text(text: string, x: number, y: number, font: string, color: string): void {
    this.font(font);
    this.context.fillStyle = this.token(color);
    this.context.fillText(text, x, y, this.width - x - MARGIN);
  }

  /** The legend broken into rows that fit. */
  legendRows(legend: ShownRow[]): Placed[][] {
    this.font("400 12px");
    const rows: Placed[][] = [];
    let x = Infinity;
    for (const row of legend) {
      const wide = SWATCH.width + 6 + this.context.measureText(row.label).width + 18;
      if (x + wide > this.width - MARGIN) {
        rows.push([]);
        x = MARGIN;
      }
      rows.at(-1)?.push({ row, x });
      x += wide;
    }
    return rows;
  }

  legend(rows: Placed[][], top: number): void {
    rows.forEach((placed, at) => {
      for (const { row, x } of placed) {
        this.swatch(row, x, top + at * LINE);
        this.text(row.label, x + SWATCH.width + 6, top + at * LINE + 11, "400 12px", "--ink-2");
      }
    });
  }

  private swatch({ color, outline, shape }: ShownRow, x: number, y: number): void {
    const { context } = this;
    context.save();
    context.beginPath();
    if (shape === "circle") context.arc(x + SWATCH.width / 2, y + SWATCH.height / 2, 5, 0, 7);
    else if (shape === "line") context.rect(x, y + SWATCH.height / 2 - 1.5, SWATCH.width, 3);
    else context.rect(x, y, SWATCH.width, SWATCH.height);
    context.fillStyle = color;
    context.fill();
    context.strokeStyle = outline ?? color;
    context.stroke();
    if (shape === "hatch") {
      context.clip();
      context.strokeStyle = this.token("--ink-3");
      context.beginPath();
      for (let at = -SWATCH.height; at < SWATCH.width; at += 5) {
        context.moveTo(x + at, y + SWATCH.height);
        context.lineTo(x + at + SWATCH.height, y);
      }
      context.stroke();
    }
    context.restore();
  }

  /** A scale whose right end is at (x, y). */
  scale({ px, text }: { px: number; text: string }, x: number, y: number): void {
    const { context } = this;
    this.font("500 11px");
    const label = context.measureText(text).width;
    context.fillStyle = this.token("--surface");
    context.globalAlpha = 0.8;
    context.fillRect(x - px - label - 18, y - 16, px + label + 24, 22);
    context.globalAlpha = 1;
    context.strokeStyle = this.token("--ink");
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x - px, y - 6);
    context.lineTo(x - px, y);
    context.lineTo(x, y);
    context.lineTo(x, y - 6);
    context.stroke();
    this.text(text, x - px - label - 8, y - 1, "500 11px", "--ink");
  }
}
