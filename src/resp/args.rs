//! The arguments of one request: slices of the buffer they were read into.
//!
//! A request in flight owns nothing; one that must outlive its buffer (queued by MULTI, parked by a
//! blocking command) is copied once into [`OwnedArgs`], a single buffer with the same spans.

/// Where one argument stands in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

/// The arguments of one request, the command's name first. Never empty.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buffer: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// Arguments at `spans` of `buffer`.
    pub fn new(buffer: &'a [u8], spans: &'a [Span]) -> Self {
        debug_assert!(spans.iter().all(|s| s.start <= s.end && s.end <= buffer.len()));
        Self { buffer, spans }
    }

    /// How many arguments, the name included.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none, not even a name.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `index`; panics past the end, which the arity check in front of every handler excludes.
    pub fn at(&self, index: usize) -> &'a [u8] {
        let span = self.spans[index];
        &self.buffer[span.start..span.end]
    }

    /// Argument `index` where there is one.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| &self.buffer[span.start..span.end])
    }

    /// All arguments from `first` on.
    pub fn from(&self, first: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let buffer = self.buffer;
        self.spans[first.min(self.spans.len())..].iter().map(move |span| &buffer[span.start..span.end])
    }

    /// Whether argument `index` exists and equals `word`, ASCII case ignored.
    pub fn is(&self, index: usize, word: &str) -> bool {
        self.get(index).is_some_and(|a| a.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Bytes from the first argument to the end of the last one, with what stands between them.
    pub fn byte_len(&self) -> usize {
        match self.spans {
            [] => 0,
            [first, ..] => self.spans[self.spans.len() - 1].end.saturating_sub(first.start),
        }
    }

    /// A copy that lives on its own.
    pub fn to_owned(&self) -> OwnedArgs {
        self.from(0).collect()
    }
}

/// Arguments that own their bytes.
#[derive(Clone, Debug, Default)]
pub struct OwnedArgs {
    buffer: Vec<u8>,
    spans: Vec<Span>,
}

impl OwnedArgs {
    /// The borrowed form.
    pub fn as_args(&self) -> Args<'_> {
        Args { buffer: &self.buffer, spans: &self.spans }
    }

    /// Appends one argument.
    pub fn push(&mut self, argument: &[u8]) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(argument);
        self.spans.push(Span { start, end: self.buffer.len() });
    }

    /// Bytes held.
    pub fn memory_usage(&self) -> usize {
        self.buffer.capacity() + self.spans.capacity() * size_of::<Span>()
    }
}

impl<'a> FromIterator<&'a [u8]> for OwnedArgs {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(arguments: I) -> Self {
        let mut owned = Self::default();
        for argument in arguments {
            owned.push(argument);
        }
        owned
    }
}
