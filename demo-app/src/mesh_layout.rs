//! Where everything goes in the picture of the mesh: nodes on a ring, peers beside their nodes.

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

/// Width of the picture in its own units.
pub const WIDTH: f64 = 400.0;
/// Height of the picture in its own units.
pub const HEIGHT: f64 = 320.0;

const CENTRE: Point = Point { x: WIDTH / 2.0, y: HEIGHT / 2.0 };
const RING: Point = Point { x: 116.0, y: 96.0 };
const MARGIN: f64 = 22.0;
/// From a node to its peers.
const REACH: f64 = 58.0;
/// From the middle between two nodes to the peers that are at both.
const BETWEEN: f64 = 44.0;
/// Between two peers of one group.
const SPACING: f64 = 40.0;
/// More peers of one group than this start another row.
const ROW: usize = 5;

/// A place in the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

impl Point {
    fn towards(self, angle: f64, distance: f64) -> Self {
        Self { x: self.x + distance * angle.cos(), y: self.y + distance * angle.sin() }
    }

    fn inside(self) -> Self {
        Self { x: self.x.clamp(MARGIN, WIDTH - MARGIN), y: self.y.clamp(MARGIN, HEIGHT - MARGIN) }
    }

    fn distance(self, to: Self) -> f64 {
        (self.x - to.x).hypot(self.y - to.y)
    }
}

/// Places `count` nodes: one in the middle, two side by side, more on a ring.
pub fn nodes(count: usize) -> Vec<Point> {
    let ring = if count == 1 { Point::default() } else { RING };
    let start = if count == 2 { PI } else { -PI / 2.0 };
    let angles = (0..count).map(|i| start + TAU * i as f64 / count as f64);
    let mut places: Vec<Point> = angles
        .map(|angle| Point { x: CENTRE.x + ring.x * angle.cos(), y: CENTRE.y + ring.y * angle.sin() })
        .collect();
    // A triangle hangs too high on its ring: its middle goes to the middle.
    let lowest = places.iter().map(|place| place.y).fold(0.0, f64::max);
    let highest = places.iter().map(|place| place.y).fold(HEIGHT, f64::min);
    for place in &mut places {
        place.y += CENTRE.y - (lowest + highest) / 2.0;
    }
    places
}

/// Whether a place is in the lower half, where names go above so that they do not lie on the peers.
pub fn is_low(place: Point) -> bool {
    place.y > CENTRE.y + 10.0
}

/// Places peers. Each is given by the nodes that it is at (indices into `nodes`, in any order); one
/// that is at no node drifts in the middle.
pub fn peers(nodes: &[Point], at: &[Vec<usize>]) -> Vec<Point> {
    let mut groups: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (peer, homes) in at.iter().enumerate() {
        let mut homes: Vec<usize> = homes.iter().copied().filter(|home| *home < nodes.len()).collect();
        homes.sort_unstable();
        homes.dedup();
        groups.entry(homes).or_default().push(peer);
    }
    let mut places = vec![CENTRE; at.len()];
    for (homes, group) in groups {
        let (anchor, reach) = anchor(nodes, &homes);
        let outward = outward(anchor);
        for (i, peer) in group.iter().enumerate() {
            let (row, column) = (i / ROW, i % ROW);
            let in_row = (group.len() - row * ROW).min(ROW);
            let reach = reach + 26.0 * row as f64;
            // A fan: equal steps along an arc around the anchor, symmetric to the outward direction.
            let turn = (column as f64 - (in_row as f64 - 1.0) / 2.0) * SPACING / reach.max(SPACING);
            places[*peer] = anchor.towards(outward + turn, reach).inside();
        }
    }
    places
}

/// Where a group of peers belongs, and how far from there it stays.
fn anchor(nodes: &[Point], homes: &[usize]) -> (Point, f64) {
    let count = homes.len() as f64;
    match homes {
        [] => (CENTRE, 30.0),
        [home] => (nodes[*home], REACH),
        _ => {
            let sum = homes.iter().fold(Point::default(), |sum, home| Point {
                x: sum.x + nodes[*home].x,
                y: sum.y + nodes[*home].y,
            });
            (Point { x: sum.x / count, y: sum.y / count }, BETWEEN)
        }
    }
}

/// Away from the middle of the picture; downwards from the middle itself.
fn outward(from: Point) -> f64 {
    if from.distance(CENTRE) < 1.0 { PI / 2.0 } else { (from.y - CENTRE.y).atan2(from.x - CENTRE.x) }
}

/// An SVG path through points, bent a little so that it does not lie on the edges it follows.
pub fn bent_path(points: &[Point]) -> String {
    let Some(first) = points.first() else { return String::new() };
    let mut path = format!("M{:.1} {:.1}", first.x, first.y);
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let bend = 0.12;
        let middle = Point {
            x: (from.x + to.x) / 2.0 + (to.y - from.y) * bend,
            y: (from.y + to.y) / 2.0 - (to.x - from.x) * bend,
        };
        path += &format!(" Q{:.1} {:.1} {:.1} {:.1}", middle.x, middle.y, to.x, to.y);
    }
    path
}

/// An SVG path from one peer to another that keeps to the outside, past the nodes.
pub fn outer_path(from: Point, to: Point) -> String {
    let middle = Point { x: (from.x + to.x) / 2.0, y: (from.y + to.y) / 2.0 };
    let bow = 0.28 * from.distance(to);
    let by = middle.towards(outward(middle), bow).inside();
    format!("M{:.1} {:.1} Q{:.1} {:.1} {:.1} {:.1}", from.x, from.y, by.x, by.y, to.x, to.y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(points: &[Point], least: f64) {
        for (i, a) in points.iter().enumerate() {
            for b in &points[i + 1..] {
                assert!(a.distance(*b) >= least, "{a:?} and {b:?} of {} overlap", points.len());
            }
        }
    }

    #[test]
    fn nodes_do_not_overlap_and_stay_inside() {
        assert_eq!(nodes(1), [CENTRE]);
        for count in 2..=12 {
            let places = nodes(count);
            apart(&places, 44.0);
            assert!(places.iter().all(|p| p.inside() == *p));
        }
    }

    #[test]
    fn two_nodes_stand_side_by_side() {
        let places = nodes(2);
        assert!((places[0].y - places[1].y).abs() < 1e-9);
        assert!(places[0].x < places[1].x);
    }

    #[test]
    fn peers_are_apart_from_each_other_and_from_nodes() {
        for count in 1..=4 {
            let nodes = nodes(count);
            let mut at: Vec<Vec<usize>> = (0..count).flat_map(|n| [vec![n], vec![n]]).collect();
            if count > 1 {
                at.extend((0..count).map(|n| vec![n, (n + 1) % count]));
            }
            let places = peers(&nodes, &at);
            apart(&places, 14.0);
            for place in &places {
                assert!(nodes.iter().all(|n| n.distance(*place) > 25.0), "{count} nodes, {place:?}");
            }
        }
    }

    #[test]
    fn the_order_of_homes_does_not_matter() {
        let nodes = nodes(3);
        assert_eq!(peers(&nodes, &[vec![0, 1]]), peers(&nodes, &[vec![1, 0, 1]]));
    }

    #[test]
    fn crowds_and_strays_stay_inside() {
        let nodes = nodes(3);
        let at: Vec<Vec<usize>> = (0..60).map(|i| if i % 7 == 0 { vec![9] } else { vec![i % 3] }).collect();
        assert!(peers(&nodes, &at).iter().all(|p| p.inside() == *p));
        assert!(peers(&[], &[vec![]]).len() == 1);
    }

    #[test]
    fn a_path_goes_through_its_points() {
        let path = bent_path(&nodes(2));
        assert!(path.starts_with("M84.0 160.0 Q") && path.ends_with("316.0 160.0"), "{path}");
        assert_eq!(bent_path(&[]), "");
    }
}
