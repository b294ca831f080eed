//! `[table.NAME]`: keys with values of one type, looked up by `lookup('NAME', key, default)`.
use crate::declare::constant;
use crate::read::Value;
use ivr::{Scalar, Table};
use std::collections::BTreeMap;

/// More rows than this belong into a directory.
const ROWS_MAX: usize = 10_000;

pub(crate) fn read(entry: &Value<'_>) -> Option<Table> {
    let table = entry.table()?.titled(format!("table `{}`", crate::shorten(entry.key)));
    let mut kind: Option<(Scalar, &str)> = None;
    let mut rows = BTreeMap::new();
    for row in table.entries() {
        if rows.len() == ROWS_MAX {
            row.error("too-many", format!("a table has at most {ROWS_MAX} rows"));
            break;
        }
        let Some(value) = constant(&row) else {
            row.wrong_type("a text, a whole number, true or false");
            continue;
        };
        let own = Scalar::of(value.kind())?;
        let (first, first_key) = *kind.get_or_insert((own, row.key));
        if own != first {
            row.error_help(
                "mixed-table",
                format!(
                    "`{}` is a {}, and `{first_key}` a {}",
                    row.key,
                    value.kind(),
                    ivr::Type::from(first)
                ),
                "a table's values are all of one type".to_owned(),
            );
            continue;
        }
        rows.insert(row.key.into(), value);
    }
    let Some((kind, _)) = kind else {
        table.findings.error(
            table.at(),
            "empty",
            format!("table `{}` has no rows", crate::shorten(entry.key)),
        );
        return None;
    };
    Some(Table { name: entry.key.into(), kind, rows })
}
