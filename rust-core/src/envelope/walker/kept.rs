//! What the walker keeps only when it is asked to: the old row, and the details of an envelope. In and
//! out as there. Apart from it, so that the usual way stays one piece of code that is not slowed.

use super::super::details;
use super::super::program::Members;
use super::super::row::Slot;
use super::super::wire::Wire;
use super::{Walk, in_value};

impl Walk<'_, '_> {
    /// The old row, where it is kept.
    #[inline(never)]
    pub(super) fn before(&mut self, members: &Members<(Wire, bool)>) -> Option<()> {
        let (start, arena) = (self.scan.at(), self.row.arena.len());
        let mut slots = std::mem::take(&mut self.row.before);
        let mut read = self.whole(members, &mut slots);
        if read.is_none() {
            self.scan.go_to(start);
            self.row.arena.truncate(arena);
            slots.clear();
            self.is_partial = true;
            read = self.partial(members, &mut slots);
        }
        self.row.before = slots;
        self.row.has_before = true;
        read
    }

    /// An old row that lacks fields, as some sources send it: those are null.
    #[cold]
    fn partial(&mut self, members: &Members<(Wire, bool)>, slots: &mut Vec<Slot>) -> Option<()> {
        self.scan.byte(b'{')?;
        let mut first = true;
        for (literal, (wire, has_slot)) in members {
            let slot = match self.scan.member(literal, first) {
                Some(()) => {
                    first = false;
                    self.slot_apart(*wire)?
                }
                None => Slot::Null,
            };
            if *has_slot {
                slots.push(slot);
            }
        }
        self.scan.byte(b'}')
    }

    #[inline(never)]
    fn slot_apart(&mut self, wire: Wire) -> Option<Slot> {
        self.slot(wire)
    }

    /// A detail that is kept. Apart from the usual way, which it would make slower.
    #[inline(never)]
    pub(super) fn detail(&mut self, at: u8) -> Option<()> {
        let start = self.scan.at();
        let slot = match self.scan.peek()? {
            b'n' => self.scan.null().then_some(Slot::Null)?,
            _ if details::is_integer(at) => Slot::Int(self.scan.integer()?),
            b'"' => {
                let text = self.scan.text()?;
                Slot::Bytes(self.keep(text)?)
            }
            b'{' | b'[' => return None,
            _ => {
                self.scan.skip()?;
                Slot::Bytes(in_value(start, self.scan.at()))
            }
        };
        self.row.details[usize::from(at)] = slot;
        Some(())
    }
}
