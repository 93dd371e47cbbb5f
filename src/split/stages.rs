//! Several patterns that split a text in turn: each splits the parts that the one before it left, and sees nothing else.

use std::ops::Range;

use super::custom::Custom;
use crate::error::Error;

/// The patterns in their order.
pub(crate) struct Stages(pub(super) Vec<Stage>);

/// One of several patterns.
pub(crate) struct Stage {
    pub(crate) pattern: Custom,
    pub(crate) keeps_matches: bool,
    pub(crate) keeps_gaps: bool,
}

/// Where the stages are in a text. An iterator over pieces keeps it, so that no stage searches a text again.
#[derive(Clone, Debug, Default)]
pub(crate) struct StagesProgress {
    /// By stage, the part of the text that it found last, and its next match if that part is the text before it.
    parts: Vec<(Range<usize>, Option<Range<usize>>)>,
}

impl Stages {
    /// Returns whether an engine may give up on a text.
    pub(super) fn can_fail(&self) -> bool {
        self.0.iter().any(|stage| stage.pattern.can_fail())
    }

    /// Returns the next piece at or after `from`.
    ///
    /// # Errors
    /// [`ErrorKind::PatternLimit`](crate::error::ErrorKind::PatternLimit): an engine gave up.
    pub(super) fn next(
        &self,
        text: &str,
        mut from: usize,
        progress: &mut StagesProgress,
    ) -> Result<Option<Range<usize>>, Error> {
        progress.parts.resize(self.0.len(), (0..0, None));
        while from < text.len() {
            match self.part_at(text, from, progress)? {
                (piece, true) => return Ok(Some(piece)),
                (dropped, false) => from = dropped.end,
            }
        }
        Ok(None)
    }

    /// Returns the part of the text that begins at `from` after all stages, or the first one that a stage drops; and
    /// whether it is kept.
    fn part_at(
        &self,
        text: &str,
        from: usize,
        progress: &mut StagesProgress,
    ) -> Result<(Range<usize>, bool), Error> {
        let (mut within, mut is_new) = (0..text.len(), false);
        for (stage, (part, next)) in self.0.iter().zip(&mut progress.parts) {
            if is_new || part.end <= from {
                let waiting = next.take().filter(|next| !is_new && next.start == from);
                is_new = true;
                let found = match waiting {
                    Some(found) => Some(found),
                    None => stage.find(text, &within, from)?,
                };
                let keeps = match found {
                    Some(found) if found.start == from => {
                        *part = found;
                        stage.keeps_matches
                    }
                    found => {
                        let end = found.as_ref().map_or(within.end, |found| found.start);
                        *part = from..end;
                        *next = found;
                        stage.keeps_gaps
                    }
                };
                if !keeps {
                    return Ok((part.clone(), false));
                }
            }
            within = part.clone();
        }
        Ok((within, true))
    }
}

impl Stage {
    /// Returns the next match at or after `from` in a part of the text; no text outside that part is seen.
    fn find(
        &self,
        text: &str,
        within: &Range<usize>,
        from: usize,
    ) -> Result<Option<Range<usize>>, Error> {
        let start = within.start;
        let Some(part) = text.get(within.clone()) else {
            return Ok(None);
        };
        let found = self.pattern.find(part, from - start)?;
        Ok(found.map(|found| found.start + start..found.end + start))
    }
}
