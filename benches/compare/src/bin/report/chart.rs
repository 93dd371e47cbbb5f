//! Draws the speeds on new text: a row for each text, a dot for each tokenizer.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::record::{Record, Table};

const OURS: &str = "tiktally";

/// The number of the fastest peers that have a colour.
const NAMED: usize = 3;

const WIDTH: i32 = 800;
const LEFT: i32 = 140;
const RIGHT: i32 = 745;
const TOP: i32 = 96;
const ROW: i32 = 31;
/// The width of a figure and the dots on its sides.
const FIGURE: i32 = 56;

/// In letters.
const CAPTION_WIDTH: usize = 104;

/// MB/s from one label of the axis to the next.
const STEP: i32 = 50;

type Failure = Box<dyn std::error::Error>;

pub struct Theme {
    pub name: &'static str,
    ground: RGBColor,
    ink: RGBColor,
    quiet: RGBColor,
    lines: RGBColor,
    others: RGBColor,
    ours: RGBColor,
    named: [RGBColor; NAMED],
}

/// The dots can be told apart by colour-blind readers, too.
pub const THEMES: [Theme; 2] = [
    Theme {
        name: "light",
        ground: RGBColor(255, 255, 255),
        ink: RGBColor(31, 35, 40),
        quiet: RGBColor(89, 99, 110),
        lines: RGBColor(223, 227, 232),
        others: RGBColor(150, 158, 167),
        ours: RGBColor(213, 94, 0),
        named: [
            RGBColor(0, 114, 178),
            RGBColor(0, 158, 115),
            RGBColor(190, 90, 150),
        ],
    },
    Theme {
        name: "dark",
        ground: RGBColor(13, 17, 23),
        ink: RGBColor(230, 237, 243),
        quiet: RGBColor(155, 163, 173),
        lines: RGBColor(44, 50, 58),
        others: RGBColor(110, 118, 129),
        ours: RGBColor(240, 160, 32),
        named: [
            RGBColor(86, 180, 233),
            RGBColor(40, 190, 145),
            RGBColor(226, 150, 195),
        ],
    },
];

pub struct Chart<'a> {
    title: String,
    /// This crate first, then the others from fast to slow. Those with a wrong result come last.
    names: Vec<&'a str>,
    /// A text, and the speed of each name.
    rows: Vec<(String, Vec<Option<f64>>)>,
    caption: Vec<String>,
}

impl<'a> Chart<'a> {
    pub fn of(record: &'a Record, encoding: &str) -> Option<Self> {
        let table = record.table(encoding, "stream")?;
        let names = names(table);
        let row = |text: &String| {
            let speeds = names.iter().map(|name| table.figure(name, text).ok());
            (readable(text), speeds.collect())
        };
        let mut rows: Vec<(String, Vec<Option<f64>>)> = table.texts().iter().map(row).collect();
        rows.sort_by(|(_, a), (_, b)| b[0].partial_cmp(&a[0]).unwrap());
        Some(Self {
            title: format!("Throughput on text seen for the first time, {encoding}"),
            caption: caption(record, &names),
            names,
            rows,
        })
    }

    /// Draws the chart as SVG.
    pub fn draw(&self, theme: &Theme) -> Result<String, Failure> {
        let mut svg = String::new();
        let bottom = TOP + ROW * self.rows.len() as i32;
        let height = bottom + 64 + 17 * self.caption.len() as i32;
        let area =
            SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
        area.fill(&theme.ground)?;
        let paper = Paper { area, theme };
        paper.text((20, 28), 24, theme.ink, HPos::Left, &self.title)?;
        self.legend(&paper)?;
        self.axis(&paper, bottom)?;
        for (i, (text, speeds)) in self.rows.iter().enumerate() {
            self.row(&paper, TOP + ROW * i as i32 + ROW / 2, text, speeds)?;
        }
        for (i, line) in self.caption.iter().enumerate() {
            paper.text(
                (20, bottom + 68 + 17 * i as i32),
                15,
                theme.quiet,
                HPos::Left,
                line,
            )?;
        }
        paper.area.present()?;
        drop(paper);
        Ok(svg)
    }

    fn legend(&self, paper: &Paper) -> Result<(), Failure> {
        let mut x = 28;
        let names = self.names.iter().copied().take(1 + NAMED);
        let others = (self.names.len() > 1 + NAMED).then_some("others");
        let names = names.chain(others);
        for (i, name) in names.enumerate() {
            paper.dot((x, 62), i)?;
            paper.text((x + 12, 62), 17, paper.color(i), HPos::Left, name)?;
            x += 40 + 15 * name.len() as i32 / 2;
        }
        Ok(())
    }

    fn axis(&self, paper: &Paper, bottom: i32) -> Result<(), Failure> {
        let theme = paper.theme;
        for speed in (0..=self.end()).step_by(STEP as usize) {
            let x = self.x(f64::from(speed));
            paper.line([(x, TOP), (x, bottom)])?;
            paper.text(
                (x, bottom + 15),
                16,
                theme.quiet,
                HPos::Center,
                &speed.to_string(),
            )?;
        }
        let middle = (LEFT + RIGHT) / 2;
        let label = "MB/s of text, one core, text seen once";
        paper.text((middle, bottom + 38), 16, theme.ink, HPos::Center, label)
    }

    /// Draws a row. This crate's dot is on top, and its figure follows the dots that are too near.
    fn row(
        &self,
        paper: &Paper,
        y: i32,
        text: &str,
        speeds: &[Option<f64>],
    ) -> Result<(), Failure> {
        let theme = paper.theme;
        paper.text((LEFT - 14, y), 17, theme.ink, HPos::Right, text)?;
        paper.line([(LEFT, y), (RIGHT, y)])?;
        for (i, speed) in speeds.iter().enumerate().rev() {
            if let Some(speed) = speed {
                paper.dot((self.x(*speed), y), i)?;
            }
        }
        let Some(ours) = speeds[0] else {
            return Ok(());
        };
        let at = (self.end_of_crowd(ours, speeds) + 12, y);
        paper.text(at, 17, theme.ours, HPos::Left, &format!("{ours:.0}"))
    }

    /// Returns the end of the dots that leave no room for a figure between them.
    fn end_of_crowd(&self, speed: f64, speeds: &[Option<f64>]) -> i32 {
        let after = speeds.iter().flatten().filter(|other| **other > speed);
        let mut after: Vec<i32> = after.map(|speed| self.x(*speed)).collect();
        after.sort();
        let near = |end: i32, x| if x - end < FIGURE { x } else { end };
        after.into_iter().fold(self.x(speed), near)
    }

    fn x(&self, speed: f64) -> i32 {
        LEFT + (f64::from(RIGHT - LEFT) * speed / f64::from(self.end())).round() as i32
    }

    /// Returns the end of the axis.
    fn end(&self) -> i32 {
        let fastest = self.rows.iter().filter_map(|(_, speeds)| fastest(speeds));
        let fastest = fastest.fold(1.0, f64::max);
        (fastest / f64::from(STEP)).ceil() as i32 * STEP
    }
}

fn fastest(speeds: &[Option<f64>]) -> Option<f64> {
    speeds.iter().flatten().copied().reduce(f64::max)
}

fn names(table: &Table) -> Vec<&str> {
    let mean = |name: &str| table.mean(name).unwrap_or(0.0);
    let mut names: Vec<&str> = table.names().collect();
    names.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
    // stable: the others keep their order
    names.sort_by_key(|name| *name != OURS);
    names
}

/// Returns the name of a file without its extensions.
fn readable(text: &str) -> String {
    let name = text.split('.').next().unwrap_or_default();
    name.replace('_', " ")
}

fn caption(record: &Record, names: &[&str]) -> Vec<String> {
    let others = names
        .iter()
        .skip(1 + NAMED)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    let machine = [&record.date, record.fact("processor"), record.compiler()].join(", ");
    let texts = format!("texts: {}", record.fact("texts"));
    let others = wrapped(&format!(
        "others, with no dot where their ids are wrong: {others}"
    ));
    others
        .into_iter()
        .chain([format!("{machine}; {texts}")])
        .collect()
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(", ") {
        if lines[lines.len() - 1].len() + word.len() > CAPTION_WIDTH {
            lines.push(String::new());
        }
        lines.last_mut().unwrap().push_str(word);
    }
    lines
}

struct Paper<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    theme: &'a Theme,
}

impl Paper<'_> {
    /// Returns the colour of the tokenizer at this position of the list.
    fn color(&self, i: usize) -> RGBColor {
        match i {
            0 => self.theme.ours,
            1..=NAMED => self.theme.named[i - 1],
            _ => self.theme.others,
        }
    }

    fn dot(&self, at: (i32, i32), i: usize) -> Result<(), Failure> {
        let radius = [7, 5, 5, 5].get(i).copied().unwrap_or(3);
        let dot = Circle::new(at, radius, self.color(i).filled());
        Ok(self.area.draw(&dot)?)
    }

    fn line(&self, ends: [(i32, i32); 2]) -> Result<(), Failure> {
        Ok(self.area.draw(&PathElement::new(ends, self.theme.lines))?)
    }

    fn text(
        &self,
        at: (i32, i32),
        size: u32,
        color: RGBColor,
        side: HPos,
        text: &str,
    ) -> Result<(), Failure> {
        let style = ("sans-serif", size)
            .into_text_style(&self.area)
            .color(&color);
        let style = style.pos(Pos::new(side, VPos::Center));
        Ok(self.area.draw(&Text::new(text, at, style))?)
    }
}
