//! The argument grammar of a row: a small language that states what COMMAND DOCS shows as a tree.
//!
//! ```text
//! key:key value:string condition?:(nx=NX | xx=XX) get?=GET@6.2.0
//! expiration?:(seconds=EX:integer | milliseconds=PX:integer | keepttl=KEEPTTL@6.0.0)
//! score_member*:(score:double member:string)
//! ```
//!
//! An argument is its name and, in this order, without spaces:
//!
//! | written | means |
//! |---|---|
//! | `<text>` | the text to display, where it is not the name |
//! | `?` `*` `+` | optional; may repeat; may repeat together with its token |
//! | `=TOKEN` | the word in front of the value, or the word itself where there is no type |
//! | `:type` | string, integer, double, key, pattern, unix-time; a key belongs to key spec 0 or, as `key#1`, another |
//! | `:(a b)` | all of these, one after the other |
//! | `:(a \| b)` | one of these (a leading `\|` where there is just one) |
//! | `@version` `!version` | since; deprecated since |
//!
//! White space separates arguments. A name or token with a character from this table, or empty, is put in `'quotes'`.

use std::fmt;

/// One argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// The text to display; `None` for groups of arguments.
    pub display_text: Option<&'static str>,
    /// What it is.
    pub kind: ArgType,
    /// The key spec it belongs to.
    pub key_spec_index: Option<usize>,
    /// The word in front of it, or it itself.
    pub token: Option<&'static str>,
    /// The version it came with, where the command is older.
    pub since: Option<&'static str>,
    /// The version it was deprecated in.
    pub deprecated_since: Option<&'static str>,
    /// May be left out.
    pub optional: bool,
    /// May repeat.
    pub multiple: bool,
    /// Repeats with its token.
    pub multiple_token: bool,
    /// The parts of a block, the choices of a oneof.
    pub arguments: Vec<Argument>,
}

/// The type of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ArgType {
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    PureToken,
    OneOf,
    Block,
}

impl ArgType {
    /// As COMMAND DOCS names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Key => "key",
            Self::Pattern => "pattern",
            Self::UnixTime => "unix-time",
            Self::PureToken => "pure-token",
            Self::OneOf => "oneof",
            Self::Block => "block",
        }
    }

    fn named(name: &str) -> Option<Self> {
        const WRITTEN: [ArgType; 6] =
            [ArgType::String, ArgType::Integer, ArgType::Double, ArgType::Key, ArgType::Pattern, ArgType::UnixTime];
        WRITTEN.into_iter().find(|kind| kind.name() == name)
    }
}

impl Argument {
    /// The flags that COMMAND DOCS shows.
    pub fn flag_names(&self) -> impl Iterator<Item = &'static str> {
        let flags = [(self.optional, "optional"), (self.multiple, "multiple"), (self.multiple_token, "multiple_token")];
        flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name)
    }
}

/// Where and why a grammar cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrammarError {
    /// Byte offset in the grammar.
    pub offset: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for GrammarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "argument grammar, byte {}: {} expected", self.offset, self.expected)
    }
}

impl std::error::Error for GrammarError {}

/// The arguments that a grammar states.
pub fn parse(grammar: &'static str) -> Result<Vec<Argument>, GrammarError> {
    let mut reader = Reader { grammar, offset: 0 };
    let arguments = reader.sequence()?;
    if reader.offset < grammar.len() { reader.error("the end") } else { Ok(arguments) }
}

/// Characters with a meaning of their own.
const SPECIAL: &str = "<>?*+=:#@!()|'";

struct Reader {
    grammar: &'static str,
    offset: usize,
}

impl Reader {
    /// Arguments up to a closing parenthesis, a bar or the end.
    fn sequence(&mut self) -> Result<Vec<Argument>, GrammarError> {
        let mut arguments = Vec::new();
        loop {
            self.skip_space();
            if matches!(self.peek(), None | Some(')' | '|')) {
                return Ok(arguments);
            }
            arguments.push(self.argument()?);
            if !matches!(self.peek(), None | Some(')' | '|')) && !self.at_space() {
                return self.error("a space");
            }
        }
    }

    fn argument(&mut self) -> Result<Argument, GrammarError> {
        let name = self.word("a name")?;
        let display_text = if self.eat('<') {
            let text = self.up_to('>')?;
            Some(text)
        } else {
            Some(name)
        };
        let optional = self.eat('?');
        let multiple_token = self.eat('+');
        let multiple = self.eat('*') || multiple_token;
        let token = if self.eat('=') { Some(self.word("a token")?) } else { None };
        let mut argument = Argument {
            name,
            display_text,
            kind: ArgType::PureToken,
            key_spec_index: None,
            token,
            since: None,
            deprecated_since: None,
            optional,
            multiple,
            multiple_token,
            arguments: Vec::new(),
        };
        if self.eat(':') {
            self.kind(&mut argument)?;
        } else if token.is_none() {
            return self.error("a token or a type");
        }
        argument.since = if self.eat('@') { Some(self.word("a version")?) } else { None };
        argument.deprecated_since = if self.eat('!') { Some(self.word("a version")?) } else { None };
        Ok(argument)
    }

    fn kind(&mut self, argument: &mut Argument) -> Result<(), GrammarError> {
        if self.eat('(') {
            argument.display_text = None;
            (argument.kind, argument.arguments) = self.group()?;
            return Ok(());
        }
        let start = self.offset;
        let Some(kind) = ArgType::named(self.word("a type")?) else {
            self.offset = start;
            return self.error("a type");
        };
        argument.kind = kind;
        argument.key_spec_index = (kind == ArgType::Key).then_some(0);
        if self.eat('#') {
            let Ok(index) = self.word("a number")?.parse() else { return self.error("a number") };
            argument.key_spec_index = Some(index);
        }
        Ok(())
    }

    /// What stands between parentheses: a block, or choices of one argument each.
    fn group(&mut self) -> Result<(ArgType, Vec<Argument>), GrammarError> {
        self.skip_space();
        let mut one_of = self.eat('|');
        let mut arguments = self.sequence()?;
        while self.eat('|') {
            one_of = true;
            let before = arguments.len();
            arguments.append(&mut self.sequence()?);
            if arguments.len() != before + 1 {
                return self.error("one argument for each choice");
            }
        }
        if !self.eat(')') || arguments.is_empty() {
            return self.error("arguments and a closing parenthesis");
        }
        Ok((if one_of { ArgType::OneOf } else { ArgType::Block }, arguments))
    }

    /// A quoted word, or one without special characters.
    fn word(&mut self, expected: &'static str) -> Result<&'static str, GrammarError> {
        if self.eat('\'') {
            return self.up_to('\'');
        }
        let rest = &self.grammar[self.offset..];
        let end = rest.find(|c: char| c.is_whitespace() || SPECIAL.contains(c)).unwrap_or(rest.len());
        if end == 0 {
            return self.error(expected);
        }
        self.offset += end;
        Ok(&rest[..end])
    }

    fn up_to(&mut self, end: char) -> Result<&'static str, GrammarError> {
        let rest = &self.grammar[self.offset..];
        let Some((text, _)) = rest.split_once(end) else { return self.error("a closing mark") };
        self.offset += text.len() + end.len_utf8();
        Ok(text)
    }

    fn peek(&self) -> Option<char> {
        self.grammar[self.offset..].chars().next()
    }

    fn at_space(&self) -> bool {
        self.peek().is_some_and(char::is_whitespace)
    }

    fn skip_space(&mut self) {
        self.offset = self.grammar.len() - self.grammar[self.offset..].trim_start().len();
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.offset += wanted.len_utf8();
        }
        found
    }

    fn error<T>(&self, expected: &'static str) -> Result<T, GrammarError> {
        Err(GrammarError { offset: self.offset, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An argument in a fixed notation with everything spelled out.
    fn spelled(a: &Argument) -> String {
        let mut s = format!("{} {}", a.name, a.kind.name());
        let mut add = |label: &str, value: Option<&str>| {
            if let Some(value) = value {
                s.push_str(&format!(" {label} {value:?}"));
            }
        };
        add("shows", a.display_text.filter(|text| *text != a.name));
        add("token", a.token);
        add("since", a.since);
        add("deprecated", a.deprecated_since);
        if let Some(index) = a.key_spec_index {
            s.push_str(&format!(" spec {index}"));
        }
        for flag in a.flag_names() {
            s.push_str(&format!(" {flag}"));
        }
        if !a.arguments.is_empty() {
            let parts: Vec<String> = a.arguments.iter().map(spelled).collect();
            s.push_str(&format!(" [{}]", parts.join(", ")));
        }
        s
    }

    #[test]
    fn every_feature_is_understood() {
        let cases = [
            ("", ""),
            ("key:key  b:key#1\n  p:pattern#2", "key key spec 0, b key spec 1, p pattern spec 2"),
            ("nx?=NX@6.2.0!7.0.0", "nx pure-token token \"NX\" since \"6.2.0\" deprecated \"7.0.0\" optional"),
            ("'ip:port'<addr>:string", "ip:port string shows \"addr\""),
            ("a?*:double b+=B:integer", "a double optional multiple, b integer token \"B\" multiple multiple_token"),
            ("t=~ e='=' n=''", "t pure-token token \"~\", e pure-token token \"=\", n pure-token token \"\""),
            (
                "c?=C:(x=X | y:(p:string q:unix-time))@1.0.0",
                "c oneof token \"C\" since \"1.0.0\" optional \
                 [x pure-token token \"X\", y block [p string, q unix-time]]",
            ),
            ("c:(| x=X)", "c oneof [x pure-token token \"X\"]"),
        ];
        for (grammar, expected) in cases {
            let spelled: Vec<String> = parse(grammar).expect(grammar).iter().map(spelled).collect();
            assert_eq!(spelled.join(", "), expected, "{grammar}");
        }
    }

    #[test]
    fn mistakes_are_found_where_they_are() {
        let cases = [
            ("name", 4),
            ("name:sting", 5),
            ("a:string,b:string", 2),
            ("a:(b:string", 11),
            ("a:()", 4),
            ("a:(b:string | c=C d=D)", 21),
            ("a='x", 3),
            (":string", 0),
            ("a:string)", 8),
            ("a:key#x", 7),
            ("a:string?", 8),
        ];
        for (grammar, offset) in cases {
            assert_eq!(parse(grammar).map_err(|e| e.offset), Err(offset), "{grammar}");
        }
    }
}
