//! The live stream: the source's changes as they happen, up to the cut-over.

use std::time::{Duration, Instant};

use super::calls::Calls;
use super::endpoint::Endpoint;
use super::expiry::PutOff;
use super::lag::{Lag, Standing};
use super::passes::Passes;
use super::progress::{Progress, State};
use super::source::Source;
use super::stop::Stop;
use super::stream::{CommandStream, Piece};
use super::target::{Target, What};
use crate::replication::ReplOffset;

/// How long room is waited for before the source is told again how far the target is.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(200);

/// How long keys are put right before the stream is looked at again.
const PUT_RIGHT: Duration = Duration::from_millis(200);

/// How the target stands.
enum Phase {
    /// It is behind.
    Behind,
    /// It keeps up, and its keys are given back their expiry.
    PuttingRight(Box<Passes>),
    /// It can be cut over to.
    Level,
}

/// How the live stream went.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// Commands brought over.
    pub commands: u64,
    /// Where the target is.
    pub reached: u64,
    /// Where the source was when the cut-over was asked for.
    pub goal: u64,
}

/// What brings the stream over.
pub struct Follower<'f, 'e> {
    /// The source.
    pub source: &'f mut Source<'e>,
    /// The target.
    pub target: &'f mut Target,
    /// Whom to ask where the source is.
    pub from: &'e Endpoint,
    /// Whom to ask for what the stream does not do.
    pub to: &'e Endpoint,
    /// What has been put off so far.
    pub put_off: &'f mut PutOff,
    /// Tells how far it is.
    pub progress: &'f mut Progress<'e>,
    /// Says when to cut over.
    pub stop: &'f Stop,
    /// How long the source's clients are to wait at the cut-over.
    pub pause: Option<Duration>,
}

impl Follower<'_, '_> {
    /// Follows from `offset` on, until everything is over that the source had when the cut-over was asked for.
    pub fn run(&mut self, offset: ReplOffset) -> Result<Followed, String> {
        let mut stream = CommandStream::new(offset.0);
        let mut followed = Followed::default();
        let mut lag = Lag::new(self.from);
        let mut phase = Phase::Behind;
        let mut goal: Option<(u64, Instant)> = None;
        let mut asked = false;
        loop {
            let standing = lag.look(self.target.reached(stream.position()));
            phase = self.advance(phase, standing)?;
            if goal.is_none() && matches!(phase, Phase::Level) && self.stop.is_asked_for() {
                goal = Some((self.cut_over()?, Instant::now() + self.from.timeout));
            }
            if let Some((goal, end)) = goal {
                if stream.position() >= goal && matches!(phase, Phase::Level) {
                    self.target.settle()?;
                    followed.goal = goal;
                    followed.reached = stream.position();
                    // So that WAIT at the source tells the truth. It may be gone already.
                    let _ = self.source.confirm(followed.reached, true);
                    return Ok(followed);
                }
                if Instant::now() > end {
                    return Err(format!("no cut-over: the source was at {goal}, and the target does not come there"));
                }
            }
            let exchanged = self
                .source
                .confirm(self.target.reached(stream.position()), std::mem::take(&mut asked))
                .and_then(|()| self.source.receive(stream.input()));
            if let Err(cut) = exchanged {
                self.target.settle()?;
                stream.forget_part();
                self.source.resume(ReplOffset(stream.position()), &cut)?;
                lag.forget();
                phase = Phase::Behind;
                continue;
            }
            asked = self.forward(&mut stream, &mut followed, matches!(phase, Phase::Behind))?;
            let (target, position) = (&*self.target, stream.position());
            let commands = followed.commands;
            self.progress.following(|| State {
                reached: target.reached(position),
                commands,
                in_flight: target.in_flight(),
            });
        }
    }

    /// Goes on to the next phase when it is time, or back when the target does not keep up.
    fn advance(&mut self, phase: Phase, standing: Standing) -> Result<Phase, String> {
        match (phase, standing) {
            (_, Standing::Behind) => Ok(Phase::Behind),
            (phase, Standing::Unknown) => Ok(phase),
            (Phase::Behind, Standing::Level) => {
                // What is put off is there before it is looked for.
                self.target.settle()?;
                Ok(Phase::PuttingRight(Box::new(Passes::begin(Calls::open(self.to)?, self.put_off)?)))
            }
            (Phase::PuttingRight(mut passes), Standing::Level) => {
                let end = Instant::now() + PUT_RIGHT;
                while Instant::now() < end {
                    if passes.step()? {
                        return Ok(Phase::Level);
                    }
                }
                Ok(Phase::PuttingRight(passes))
            }
            (Phase::Level, Standing::Level) => Ok(Phase::Level),
        }
    }

    /// Sends the whole commands on; whether the source has asked for a confirmation.
    fn forward(
        &mut self,
        stream: &mut CommandStream,
        followed: &mut Followed,
        is_behind: bool,
    ) -> Result<bool, String> {
        let mut asked = false;
        loop {
            while !self.target.await_room(WAIT_FOR_ROOM) {
                // A cut shows itself at the next read.
                let _ = self.source.confirm(self.target.reached(stream.position()), false);
            }
            match stream.next()? {
                None => break,
                Some(Piece::Question) => asked = true,
                Some(Piece::Other) => {}
                Some(Piece::Command { args, request, from }) => {
                    let what = match args.is(0, "SELECT") {
                        true => What::Setup("SELECT"),
                        false => What::Command(args.at(0).to_vec()),
                    };
                    let put_off = if is_behind { self.put_off.command(args) } else { None };
                    self.target.raw(what, put_off.as_deref().unwrap_or(request), from)?;
                    followed.commands += 1;
                }
            }
        }
        self.target.flush()?;
        Ok(asked)
    }

    /// Lets the source's clients wait, if that is wanted; where its stream ends then.
    fn cut_over(&self) -> Result<u64, String> {
        let mut calls = Calls::open(self.from)?;
        if let Some(pause) = self.pause {
            calls.call(&[b"CLIENT", b"PAUSE", pause.as_millis().to_string().as_bytes(), b"WRITE"])?;
        }
        let goal = calls.offset()?;
        eprintln!("cutting over at {goal}");
        Ok(goal)
    }
}
