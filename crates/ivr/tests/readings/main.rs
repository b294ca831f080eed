//! What callers hear when a value is read, written out by hand from the published grammar of each language;
//! nothing here was produced by the code under test.
//!
//! Sources. Mandarin: GB/T 15835-2011 (figures in publications: years digit by digit); 吕叔湘, 现代汉语八百词,
//! under 两; CLDR, zh spell-out rules and day periods. Cantonese: Matthews and Yip, Cantonese: A Comprehensive
//! Grammar, on numerals, money and the clock; Open Cantonese, Cantonese Life 1, lesson 22.1 (兩點, but 二分;
//! 零 before one to nine minutes); 詹伯慧 and 丘学强, 新时空粤语, on money (毫, 分, in Hong Kong 仙); CLDR, yue.
//! Shanghainese: 钱乃荣, 上海话大词典, on times of day (早浪向, 上半日, 中浪向, 下半日, 夜里向) and 廿; 任溶溶 in
//! 新民晚报 of 2012-05-29 on the clock (两点廿分); the rule for 2 by which 2021-02-22 is 两零两一年两月廿二号, and
//! 第二 and 十二 keep 二. English: Quirk and others, A Comprehensive Grammar of the English Language, 6.63 to
//! 6.68; CLDR, en spell-out rules (verbose cardinals and ordinals, years); The Chicago Manual of Style, 9.38
//! (noon and midnight).

mod clock;
mod dates;
mod lengths;
mod list;
mod money;
mod places;
mod properties;

use hotline_ivr::say::{LANGUAGES, fragments_of, reading, text};
use hotline_ivr::{SayKind, say};

/// A value and how it sounds in Mandarin, Cantonese, Shanghainese and English.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn check(kind: SayKind, table: &[Row]) {
    for (value, cmn, yue, wuu, en) in table {
        let read = LANGUAGES.map(|language| text(kind, value, language).unwrap_or_else(|| "(none)".into()));
        assert_eq!(read, [*cmn, *yue, *wuu, *en].map(spaced), "{kind} {value}");
        for language in LANGUAGES {
            let listed = fragments_of(kind, language);
            let names = reading(kind, value, language).expect("it was just read");
            assert!(names.iter().all(|n| listed.iter().any(|(l, _)| l == n)), "{kind} {value} in {language}");
        }
    }
}

/// A long text may be broken over lines of the source.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn refused(kind: SayKind, values: &[&str]) {
    for value in values {
        for language in LANGUAGES {
            assert_eq!(say::reading(kind, value, language), None, "{kind} `{value}` in {language}");
        }
    }
}
