//! Binary operators between vectors and scalars in every form of matching.

use super::Generator;

impl Generator {
    pub(super) fn combined(&mut self, depth: u32) -> String {
        let left = self.vector(depth);
        match self.random.below(7) {
            0 | 1 => {
                let scalar = self.scalar(depth);
                let operator = self.operator();
                if self.random.one_in(2) {
                    format!("({left}) {operator} {scalar}")
                } else {
                    format!("{scalar} {operator} ({left})")
                }
            }
            2 => {
                let set = self.pick(&["and", "or", "unless"]);
                let on = self.pick(&["", "on (a)", "ignoring (b)", "on ()", "ignoring (a, b, le)"]);
                format!("({left}) {set} {on} ({})", self.vector(depth))
            }
            3 | 4 => self.many_to_one(&left, depth),
            _ => {
                let operator = self.operator();
                let on = self.pick(&[
                    "",
                    "",
                    "on (a, b)",
                    "ignoring (b)",
                    "on (a)",
                    "on ()",
                    "on (__name__, a, b)",
                    "ignoring (le)",
                    "ignoring ()",
                ]);
                format!("({left}) {operator} {on} ({})", self.vector(depth))
            }
        }
    }

    fn operator(&mut self) -> String {
        match self.random.below(3) {
            0 => self.arithmetic().to_owned(),
            1 => self.comparison().to_owned(),
            _ => format!("{} bool", self.comparison()),
        }
    }

    fn many_to_one(&mut self, many: &str, depth: u32) -> String {
        let operator = self.operator();
        let side = self.random.one_in(2);
        let include = self.pick(&[
            "",
            " ()",
            " (c)",
            " (c, b)",
            " (nope)",
            " (__name__)",
            " (le)",
        ]);
        let on = self.pick(&["on (a)", "on (a)", "ignoring (b, le, c)", "on ()"]);
        let one = match self.random.below(4) {
            0 | 1 => "one".to_owned(),
            2 => "sum by (a) (g)".to_owned(),
            _ => format!("({})", self.vector(depth.saturating_sub(1))),
        };
        if side {
            format!("({many}) {operator} {on} group_left{include} {one}")
        } else {
            format!("{one} {operator} {on} group_right{include} ({many})")
        }
    }
}
