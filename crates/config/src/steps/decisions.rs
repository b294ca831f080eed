//! Where the way divides.
use super::Lower;
use crate::read::Table;
use ivr::{Act, Branch, Expr, Hours};

impl<'a> Lower<'a, '_> {
    pub(super) fn branch(&mut self, table: &Table<'a>) -> Option<Act> {
        let list = table.get("branch").and_then(|v| v.list()).unwrap_or_default();
        let mut arms = vec![];
        for item in &list {
            let Some(arm) = item.table() else { continue };
            let arm = arm.titled(format!("an arm of step `{}`", self.name));
            let when = arm.need("when", "write the condition: `when = \"tries > 2\"`");
            let when = when.and_then(|value| {
                let expr = self.expression(&value, Expr::condition(value.text()?, &self.types))?;
                self.note_reads(expr.reads(), value.at());
                Some(expr)
            });
            let to = arm.need("to", "name the step that follows");
            let to = to.and_then(|value| self.exit(&value, &format!("branch `{}` leads to", self.name)));
            arm.done();
            arms.extend(when.zip(to));
        }
        if let Some(value) = table.get("branch").filter(|_| list.is_empty())
            && value.is_list()
        {
            value.error("empty", format!("branch `{}` has no arms", self.name));
        }
        let otherwise = self.named_exit(table, "otherwise", "name the step for when no arm holds");
        Some(Act::Branch(Branch { arms, otherwise: otherwise? }))
    }

    pub(super) fn hours(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("hours")?;
        let schedule = value.text().and_then(|name| {
            let found = self.install.hours.get(name).cloned();
            if found.is_none() {
                crate::install::unknown(&value, "hours", name, self.install.hours.keys().map(|h| &**h));
            }
            found.flatten()
        });
        let open = self.named_exit(table, "open", "name the step for when it is open");
        let closed = self.named_exit(table, "closed", "name the step for when it is closed");
        Some(Act::Hours(Hours { schedule: schedule?, open: open?, closed: closed? }))
    }
}
