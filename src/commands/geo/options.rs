//! The arguments of the searches.
//!
//! They are read in the order, and refused with the errors, that Redis has; where the source is missing, what needs it (the
//! place of a member) is passed over, since the answer is then known.

use super::{member_place, place, unit};
use crate::base::number::parse_f64;
use crate::data::geo::{Extent, Place, Shape};
use crate::data::zset::ZSet;
use crate::engine::Context;
use crate::resp::WireError;

/// Which search it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// GEORADIUS and its kin.
    Radius {
        /// The centre is a member.
        by_member: bool,
        /// STORE and STOREDIST are options.
        stores: bool,
    },
    /// GEOSEARCH
    Search,
    /// GEOSEARCHSTORE
    SearchStore,
}

impl Form {
    /// Where the key of the source stands.
    pub fn source(self) -> usize {
        if self == Self::SearchStore { 2 } else { 1 }
    }

    /// The event of storing.
    pub fn event(self) -> &'static str {
        if self == Self::SearchStore { "geosearchstore" } else { "georadiusstore" }
    }

    fn is_search(self) -> bool {
        matches!(self, Self::Search | Self::SearchStore)
    }
}

/// Which distance comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The smallest.
    Ascending,
    /// The greatest.
    Descending,
}

/// The middle of the area.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Centre {
    #[default]
    Unnamed,
    /// FROMMEMBER, without a place where there is no source.
    Member(Option<Place>),
    /// FROMLONLAT
    Place(Place),
}

/// The arguments of a search.
#[derive(Default)]
pub struct Request<'a> {
    centre: Centre,
    /// With the metres of its unit.
    extent: Option<(Extent, f64)>,
    /// Where the result goes, instead of into the reply.
    pub destination: Option<&'a [u8]>,
    /// Store distances rather than geohashes.
    pub store_distances: bool,
    /// WITHDIST
    pub with_distance: bool,
    /// WITHHASH
    pub with_hash: bool,
    /// WITHCOORD
    pub with_place: bool,
    /// ASC, DESC
    pub order: Option<Order>,
    /// COUNT
    pub count: Option<usize>,
    /// Any matches will do, not only the nearest.
    pub any: bool,
}

impl<'a> Request<'a> {
    /// Reads the arguments of a search in `set`.
    pub fn parse(ctx: &Context<'a>, form: Form, set: Option<&ZSet>) -> Result<Self, WireError> {
        let mut request = Self::default();
        let mut index = request.positional(ctx, form, set)?;
        while index < ctx.args.len() {
            index += request.option(ctx, form, set, index)?;
        }
        request.check(ctx, form)?;
        Ok(request)
    }

    /// The area, where the source exists.
    pub fn shape(&self) -> Option<Shape> {
        let (extent, unit) = self.extent?;
        match self.centre {
            Centre::Member(Some(centre)) | Centre::Place(centre) => Some(Shape { centre, extent, unit }),
            Centre::Member(None) | Centre::Unnamed => None,
        }
    }

    /// Reads the arguments in front of the options; where those begin.
    fn positional(&mut self, ctx: &Context<'a>, form: Form, set: Option<&ZSet>) -> Result<usize, WireError> {
        match form {
            Form::Radius { by_member: false, .. } => {
                self.centre = Centre::Place(place(ctx, 2)?);
                self.extent = Some(circle(ctx, 4)?);
                Ok(6)
            }
            Form::Radius { by_member: true, .. } => {
                if set.is_some() {
                    self.centre = member_centre(set, ctx.args.at(2))?;
                    self.extent = Some(circle(ctx, 3)?);
                }
                Ok(5)
            }
            Form::Search => Ok(2),
            Form::SearchStore => {
                self.destination = Some(ctx.args.at(1));
                Ok(3)
            }
        }
    }

    /// Reads the option at an argument; how many arguments it takes.
    fn option(&mut self, ctx: &Context<'a>, form: Form, set: Option<&ZSet>, index: usize) -> Result<usize, WireError> {
        let operands = ctx.args.len() - index - 1;
        match ctx.args.at(index).to_ascii_lowercase().as_slice() {
            b"withdist" => self.with_distance = true,
            b"withhash" => self.with_hash = true,
            b"withcoord" => self.with_place = true,
            b"any" => self.any = true,
            b"asc" => self.order = Some(Order::Ascending),
            b"desc" => self.order = Some(Order::Descending),
            b"count" if operands >= 1 => {
                const TOO_SMALL: WireError = WireError::fixed("ERR COUNT must be > 0");
                let count = usize::try_from(ctx.int(index + 1)?).ok().filter(|count| *count > 0);
                self.count = Some(count.ok_or(TOO_SMALL)?);
                return Ok(2);
            }
            word @ (b"store" | b"storedist") if operands >= 1 && matches!(form, Form::Radius { stores: true, .. }) => {
                self.destination = Some(ctx.args.at(index + 1));
                self.store_distances = word == b"storedist";
                return Ok(2);
            }
            b"storedist" if form == Form::SearchStore => self.store_distances = true,
            word if form.is_search() => return self.area(ctx, word, set, index, operands),
            _ => return ctx.syntax(),
        }
        Ok(1)
    }

    /// Reads an option of GEOSEARCH that says where to look.
    fn area(
        &mut self,
        ctx: &Context<'a>,
        word: &[u8],
        set: Option<&ZSet>,
        index: usize,
        operands: usize,
    ) -> Result<usize, WireError> {
        let from_place = matches!(self.centre, Centre::Place(_));
        let from_member = matches!(self.centre, Centre::Member(_));
        let by_radius = matches!(self.extent, Some((Extent::Radius(_), _)));
        let by_box = matches!(self.extent, Some((Extent::Box { .. }, _)));
        match word {
            b"frommember" if operands >= 1 && !from_place => {
                self.centre = member_centre(set, ctx.args.at(index + 1))?;
                Ok(2)
            }
            b"fromlonlat" if operands >= 2 && !from_member => {
                self.centre = Centre::Place(place(ctx, index + 1)?);
                Ok(3)
            }
            b"byradius" if operands >= 2 && !by_box => {
                self.extent = Some(circle(ctx, index + 1)?);
                Ok(3)
            }
            b"bybox" if operands >= 3 && !by_radius => {
                self.extent = Some(rectangle(ctx, index + 1)?);
                Ok(4)
            }
            _ => ctx.syntax(),
        }
    }

    /// Refuses what does not go together, and what is missing.
    fn check(&self, ctx: &Context<'a>, form: Form) -> Result<(), WireError> {
        if self.destination.is_some() && (self.with_distance || self.with_hash || self.with_place) {
            let what = if form == Form::SearchStore { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            let rest = "is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
            return Err(WireError::new(format!("ERR {what} {rest}")));
        }
        let missing = if form.is_search() && self.centre == Centre::Unnamed {
            Some("FROMMEMBER or FROMLONLAT")
        } else if form.is_search() && self.extent.is_none() {
            Some("BYRADIUS and BYBOX")
        } else {
            None
        };
        if let Some(missing) = missing {
            let (missing, name) = (missing.as_bytes(), ctx.args.at(0));
            return Err(WireError::quoting(&[b"ERR exactly one of ", missing, b" can be specified for ", name]));
        }
        if self.any && self.count.is_none() {
            return Err(WireError::fixed("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }
}

/// A member as the centre; one that is not there is an error, unless there is no source at all.
fn member_centre(set: Option<&ZSet>, member: &[u8]) -> Result<Centre, WireError> {
    let place = set.map(|set| member_place(set, member));
    match place {
        Some(None) => Err(WireError::fixed("ERR could not decode requested zset member")),
        place => Ok(Centre::Member(place.flatten())),
    }
}

/// A radius and its unit.
fn circle(ctx: &Context<'_>, index: usize) -> Result<(Extent, f64), WireError> {
    let radius = length(ctx, index, "radius")?;
    if radius < 0.0 {
        return Err(WireError::fixed("ERR radius cannot be negative"));
    }
    Ok((Extent::Radius(radius), unit(ctx, index + 1)?))
}

/// A width, a height and their unit.
fn rectangle(ctx: &Context<'_>, index: usize) -> Result<(Extent, f64), WireError> {
    let (width, height) = (length(ctx, index, "width")?, length(ctx, index + 1, "height")?);
    if width < 0.0 || height < 0.0 {
        return Err(WireError::fixed("ERR height or width cannot be negative"));
    }
    Ok((Extent::Box { width, height }, unit(ctx, index + 2)?))
}

fn length(ctx: &Context<'_>, index: usize, what: &str) -> Result<f64, WireError> {
    parse_f64(ctx.args.at(index)).ok_or_else(|| WireError::new(format!("ERR need numeric {what}")))
}
