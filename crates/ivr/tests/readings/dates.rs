//! Dates.

use crate::{check, refused};
use hotline_ivr::SayKind;

#[test]
#[rustfmt::skip]
fn days() {
    check(SayKind::Date, &[
        ("2026-11-23", "二零二六年十一月二十三日", "二零二六年十一月二十三號", "两零两六年十一月廿三号", "the twenty third of November twenty twenty six"),
        ("2026-01-01", "二零二六年一月一日", "二零二六年一月一號", "两零两六年一月一号", "the first of January twenty twenty six"),
        ("2021-02-22", "二零二一年二月二十二日", "二零二一年二月二十二號", "两零两一年两月廿二号", "the twenty second of February twenty twenty one"),
        ("2026-02-02", "二零二六年二月二日", "二零二六年二月二號", "两零两六年两月两号", "the second of February twenty twenty six"),
        ("2026-12-12", "二零二六年十二月十二日", "二零二六年十二月十二號", "两零两六年十二月十二号", "the twelfth of December twenty twenty six"),
        ("2026-03-03", "二零二六年三月三日", "二零二六年三月三號", "两零两六年三月三号", "the third of March twenty twenty six"),
        ("2026-04-04", "二零二六年四月四日", "二零二六年四月四號", "两零两六年四月四号", "the fourth of April twenty twenty six"),
        ("2026-05-05", "二零二六年五月五日", "二零二六年五月五號", "两零两六年五月五号", "the fifth of May twenty twenty six"),
        ("2026-06-06", "二零二六年六月六日", "二零二六年六月六號", "两零两六年六月六号", "the sixth of June twenty twenty six"),
        ("2026-07-07", "二零二六年七月七日", "二零二六年七月七號", "两零两六年七月七号", "the seventh of July twenty twenty six"),
        ("2026-08-08", "二零二六年八月八日", "二零二六年八月八號", "两零两六年八月八号", "the eighth of August twenty twenty six"),
        ("2026-09-09", "二零二六年九月九日", "二零二六年九月九號", "两零两六年九月九号", "the ninth of September twenty twenty six"),
        ("2026-10-10", "二零二六年十月十日", "二零二六年十月十號", "两零两六年十月十号", "the tenth of October twenty twenty six"),
        ("2026-11-11", "二零二六年十一月十一日", "二零二六年十一月十一號", "两零两六年十一月十一号", "the eleventh of November twenty twenty six"),
        ("2026-05-13", "二零二六年五月十三日", "二零二六年五月十三號", "两零两六年五月十三号", "the thirteenth of May twenty twenty six"),
        ("2026-05-14", "二零二六年五月十四日", "二零二六年五月十四號", "两零两六年五月十四号", "the fourteenth of May twenty twenty six"),
        ("2026-05-15", "二零二六年五月十五日", "二零二六年五月十五號", "两零两六年五月十五号", "the fifteenth of May twenty twenty six"),
        ("2026-05-18", "二零二六年五月十八日", "二零二六年五月十八號", "两零两六年五月十八号", "the eighteenth of May twenty twenty six"),
        ("2026-05-19", "二零二六年五月十九日", "二零二六年五月十九號", "两零两六年五月十九号", "the nineteenth of May twenty twenty six"),
        ("2026-05-20", "二零二六年五月二十日", "二零二六年五月二十號", "两零两六年五月廿号", "the twentieth of May twenty twenty six"),
        ("2026-05-21", "二零二六年五月二十一日", "二零二六年五月二十一號", "两零两六年五月廿一号", "the twenty first of May twenty twenty six"),
        ("2026-05-30", "二零二六年五月三十日", "二零二六年五月三十號", "两零两六年五月三十号", "the thirtieth of May twenty twenty six"),
        ("2026-12-31", "二零二六年十二月三十一日", "二零二六年十二月三十一號", "两零两六年十二月三十一号", "the thirty first of December twenty twenty six"),
        ("2024-02-29", "二零二四年二月二十九日", "二零二四年二月二十九號", "两零两四年两月廿九号", "the twenty ninth of February twenty twenty four"),
        ("1600-02-29", "一六零零年二月二十九日", "一六零零年二月二十九號", "一六零零年两月廿九号", "the twenty ninth of February sixteen hundred"),
        ("2000-02-29", "二零零零年二月二十九日", "二零零零年二月二十九號", "两零零零年两月廿九号", "the twenty ninth of February two thousand"),
    ]);
}

#[test]
#[rustfmt::skip]
fn years() {
    check(SayKind::Date, &[
        ("1949-10-01", "一九四九年十月一日", "一九四九年十月一號", "一九四九年十月一号", "the first of October nineteen forty nine"),
        ("1997-07-01", "一九九七年七月一日", "一九九七年七月一號", "一九九七年七月一号", "the first of July nineteen ninety seven"),
        ("1992-05-01", "一九九二年五月一日", "一九九二年五月一號", "一九九两年五月一号", "the first of May nineteen ninety two"),
        ("1905-05-01", "一九零五年五月一日", "一九零五年五月一號", "一九零五年五月一号", "the first of May nineteen oh five"),
        ("1900-05-01", "一九零零年五月一日", "一九零零年五月一號", "一九零零年五月一号", "the first of May nineteen hundred"),
        ("1910-05-01", "一九一零年五月一日", "一九一零年五月一號", "一九一零年五月一号", "the first of May nineteen ten"),
        ("1911-05-01", "一九一一年五月一日", "一九一一年五月一號", "一九一一年五月一号", "the first of May nineteen eleven"),
        ("1999-12-31", "一九九九年十二月三十一日", "一九九九年十二月三十一號", "一九九九年十二月三十一号", "the thirty first of December nineteen ninety nine"),
        ("2001-05-01", "二零零一年五月一日", "二零零一年五月一號", "两零零一年五月一号", "the first of May two thousand and one"),
        ("2002-05-01", "二零零二年五月一日", "二零零二年五月一號", "两零零两年五月一号", "the first of May two thousand and two"),
        ("2005-05-01", "二零零五年五月一日", "二零零五年五月一號", "两零零五年五月一号", "the first of May two thousand and five"),
        ("2009-05-01", "二零零九年五月一日", "二零零九年五月一號", "两零零九年五月一号", "the first of May two thousand and nine"),
        ("2010-05-01", "二零一零年五月一日", "二零一零年五月一號", "两零一零年五月一号", "the first of May twenty ten"),
        ("2012-05-01", "二零一二年五月一日", "二零一二年五月一號", "两零一两年五月一号", "the first of May twenty twelve"),
        ("2020-05-01", "二零二零年五月一日", "二零二零年五月一號", "两零两零年五月一号", "the first of May twenty twenty"),
        ("2100-05-01", "二一零零年五月一日", "二一零零年五月一號", "两一零零年五月一号", "the first of May twenty one hundred"),
        ("2101-05-01", "二一零一年五月一日", "二一零一年五月一號", "两一零一年五月一号", "the first of May twenty one oh one"),
        ("1066-10-14", "一零六六年十月十四日", "一零六六年十月十四號", "一零六六年十月十四号", "the fourteenth of October ten sixty six"),
        ("1000-05-01", "一零零零年五月一日", "一零零零年五月一號", "一零零零年五月一号", "the first of May one thousand"),
        ("0618-06-18", "六一八年六月十八日", "六一八年六月十八號", "六一八年六月十八号", "the eighteenth of June six hundred and eighteen"),
        ("9999-12-31", "九九九九年十二月三十一日", "九九九九年十二月三十一號", "九九九九年十二月三十一号", "the thirty first of December ninety nine ninety nine"),
    ]);
}

#[test]
fn what_is_no_day() {
    refused(
        SayKind::Date,
        &[
            "",
            "-",
            "--",
            "today",
            "2026",
            "2026-11",
            "2026-11-23-",
            "2026-11-23T10:00",
            "26-11-23",
            "2026-1-1",
            "2026-011-1",
            "2026/11/23",
            "20261123",
            "23-11-2026",
            "0000-01-01",
            "2026-00-10",
            "2026-13-01",
            "2026-01-00",
            "2026-01-32",
            "2026-04-31",
            "2026-06-31",
            "2026-09-31",
            "2026-11-31",
            "2026-02-29",
            "2023-02-29",
            "1900-02-29",
            "2100-02-29",
            "2024-02-30",
            "-026-01-01",
            "2026-+1-01",
            "２０２６-01-01",
        ],
    );
}
