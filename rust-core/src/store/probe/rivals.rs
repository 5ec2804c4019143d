//! The trial P2: of rivals that create one key at once, exactly one is told that it did. In goes a
//! folder of a store, out comes nothing, or that two of them were. A rival whose answer is lost
//! proves nothing, so rounds are run until as many pairs of answers were held against each other as
//! when none is lost.

use super::again::pauses;
use super::rules::{CREATE_TWICE, Trial, broken};
use crate::error::{Error, Kind, Result};
use futures::future::join_all;
use uuid::Uuid;

/// Creates of one key at once, and how often: SeaweedFS up to 4.16 let three of three win.
const RIVALS: usize = 16;
const ROUNDS: usize = 3;
/// Pairs of rivals of which not both were told that they won.
const PAIRS: usize = ROUNDS * pairs(RIVALS);
/// Rounds of a network that loses answers, before it counts as away.
const ROUNDS_MAX: u32 = 60;
/// A store may refuse all rivals of a round as conflicting; it may not do so for ever.
const BARREN_MAX: usize = 5;

/// What a round has shown.
enum Race {
    /// One won; so many answers were heard.
    Decided(usize),
    /// All were refused.
    Barren,
    /// Too few answers were heard, and nothing is there.
    Unheard,
}

const fn pairs(answers: usize) -> usize {
    answers * answers.saturating_sub(1) / 2
}

impl Trial {
    pub(super) async fn lets_one_rival_win(&self) -> Result<()> {
        let (mut seen, mut barren, mut pauses) = (0, 0, pauses());
        for round in 0..ROUNDS_MAX {
            match self.race(round).await? {
                Race::Decided(answers) => (seen, barren) = (seen + pairs(answers), 0),
                Race::Barren => barren += 1,
                Race::Unheard => pauses.wait().await,
            }
            if seen >= PAIRS {
                return Ok(());
            }
            if barren == BARREN_MAX {
                let message =
                    "the store refuses every one of several racing creates; nobody could commit";
                return Err(broken("P2", &self.folder, message));
            }
        }
        let message = "too many answers are lost on the way to try the store with racing creates";
        Err(Error::new(Kind::Store, message).with("object", &self.folder).temporary())
    }

    async fn race(&self, round: u32) -> Result<Race> {
        let key = self.key(&format!("rivals-{round}"));
        let nonces: Vec<String> = (0..RIVALS).map(|_| Uuid::new_v4().to_string()).collect();
        let told = join_all(nonces.iter().map(|nonce| self.create(&key, nonce))).await;
        let (mut answers, mut winners) = (0, Vec::new());
        for (nonce, told) in nonces.iter().zip(told) {
            match told {
                Ok(won) => {
                    answers += 1;
                    winners.extend(won.then_some(nonce));
                }
                Err(error) if error.is_temporary() => {}
                Err(error) => return Err(error),
            }
        }
        if winners.len() > 1 {
            return Err(broken("P2", &key, CREATE_TWICE).with("winners", winners.len()));
        }
        match (winners.first(), self.content(&key).await?) {
            (Some(winner), Some(there)) if there == winner.as_bytes() => Ok(Race::Decided(answers)),
            (Some(_), Some(_)) => Err(broken("P2", &key, CREATE_TWICE)),
            (Some(_), None) => Err(broken("P2", &key, "GET does not see what was just written")),
            // The winner's answer was lost, or a repeated request of it was refused.
            (None, Some(_)) => Ok(Race::Decided(answers)),
            (None, None) if answers == RIVALS => Ok(Race::Barren),
            (None, None) => Ok(Race::Unheard),
        }
    }
}
