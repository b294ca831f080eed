//! Amounts of money.

use crate::{check, refused};
use hotline_ivr::SayKind;
use hotline_ivr::say::Currency::{self, Cny, Eur, Gbp, Hkd, Usd};

#[test]
#[rustfmt::skip]
fn yuan() {
    check(SayKind::Money(Cny), &[
        ("0", "人民币零元", "人民幣零元", "人民币零块", "zero yuan"),
        ("0.00", "人民币零元", "人民幣零元", "人民币零块", "zero yuan"),
        ("-0.0", "人民币零元", "人民幣零元", "人民币零块", "zero yuan"),
        ("1", "人民币一元", "人民幣一元", "人民币一块", "one yuan"),
        ("2", "人民币两元", "人民幣兩元", "人民币两块", "two yuan"),
        ("5.0", "人民币五元", "人民幣五元", "人民币五块", "five yuan"),
        ("10", "人民币十元", "人民幣十元", "人民币十块", "ten yuan"),
        ("12", "人民币十二元", "人民幣十二元", "人民币十二块", "twelve yuan"),
        ("20", "人民币二十元", "人民幣二十元", "人民币廿块", "twenty yuan"),
        ("22", "人民币二十二元", "人民幣二十二元", "人民币廿二块", "twenty two yuan"),
        ("50.50", "人民币五十元五角", "人民幣五十元五毫", "人民币五十块五角", "fifty yuan and fifty fen"),
        ("99.9", "人民币九十九元九角", "人民幣九十九元九毫", "人民币九十九块九角", "ninety nine yuan and ninety fen"),
        ("100", "人民币一百元", "人民幣一百元", "人民币一百块", "one hundred yuan"),
        ("102", "人民币一百零二元", "人民幣一百零二元", "人民币一百零二块", "one hundred and two yuan"),
        ("200", "人民币二百元", "人民幣二百元", "人民币两百块", "two hundred yuan"),
        ("1234.5", "人民币一千二百三十四元五角", "人民幣一千二百三十四元五毫", "人民币一千两百三十四块五角",
            "one thousand two hundred and thirty four yuan and fifty fen"),
        ("2000", "人民币两千元", "人民幣兩千元", "人民币两千块", "two thousand yuan"),
        ("2200", "人民币两千二百元", "人民幣兩千二百元", "人民币两千两百块", "two thousand two hundred yuan"),
        ("20000", "人民币两万元", "人民幣兩萬元", "人民币两万块", "twenty thousand yuan"),
        ("22222.22", "人民币两万二千二百二十二元二角二分", "人民幣兩萬二千二百二十二元二毫二分", "人民币两万两千两百廿二块两角两分",
            "twenty two thousand two hundred and twenty two yuan and twenty two fen"),
        ("100000", "人民币十万元", "人民幣十萬元", "人民币十万块", "one hundred thousand yuan"),
        ("1000000", "人民币一百万元", "人民幣一百萬元", "人民币一百万块", "one million yuan"),
        ("300000000.3", "人民币三亿元三角", "人民幣三億元三毫", "人民币三亿块三角", "three hundred million yuan and thirty fen"),
        ("999999999999.99", "人民币九千九百九十九亿九千九百九十九万九千九百九十九元九角九分",
            "人民幣九千九百九十九億九千九百九十九萬九千九百九十九元九毫九分",
            "人民币九千九百九十九亿九千九百九十九万九千九百九十九块九角九分",
            "nine hundred and ninety nine billion nine hundred and ninety nine million
            nine hundred and ninety nine thousand nine hundred and ninety nine yuan and ninety nine fen"),
        ("0.1", "人民币一角", "人民幣一毫", "人民币一角", "ten fen"),
        ("0.2", "人民币两角", "人民幣兩毫", "人民币两角", "twenty fen"),
        ("0.50", "人民币五角", "人民幣五毫", "人民币五角", "fifty fen"),
        ("0.01", "人民币一分", "人民幣一分", "人民币一分", "one fen"),
        ("0.02", "人民币两分", "人民幣兩分", "人民币两分", "two fen"),
        ("0.05", "人民币五分", "人民幣五分", "人民币五分", "five fen"),
        ("0.56", "人民币五角六分", "人民幣五毫六分", "人民币五角六分", "fifty six fen"),
        ("1.05", "人民币一元零五分", "人民幣一元零五分", "人民币一块零五分", "one yuan and five fen"),
        ("1.02", "人民币一元零二分", "人民幣一元零二分", "人民币一块零两分", "one yuan and two fen"),
        ("2.2", "人民币两元二角", "人民幣兩元二毫", "人民币两块两角", "two yuan and twenty fen"),
        ("2.22", "人民币两元二角二分", "人民幣兩元二毫二分", "人民币两块两角两分", "two yuan and twenty two fen"),
        ("12.34", "人民币十二元三角四分", "人民幣十二元三毫四分", "人民币十二块三角四分", "twelve yuan and thirty four fen"),
        ("1005.05", "人民币一千零五元零五分", "人民幣一千零五元零五分", "人民币一千零五块零五分",
            "one thousand and five yuan and five fen"),
        ("-5", "人民币负五元", "人民幣負五元", "人民币负五块", "minus five yuan"),
        ("-2.5", "人民币负两元五角", "人民幣負兩元五毫", "人民币负两块五角", "minus two yuan and fifty fen"),
        ("-0.01", "人民币负一分", "人民幣負一分", "人民币负一分", "minus one fen"),
        ("007.10", "人民币七元一角", "人民幣七元一毫", "人民币七块一角", "seven yuan and ten fen"),
    ]);
}

#[test]
#[rustfmt::skip]
fn hong_kong_dollars() {
    check(SayKind::Money(Hkd), &[
        ("0", "港币零元", "港幣零元", "港币零块", "zero Hong Kong dollars"),
        ("1", "港币一元", "港幣一元", "港币一块", "one Hong Kong dollar"),
        ("2", "港币两元", "港幣兩元", "港币两块", "two Hong Kong dollars"),
        ("0.5", "港币五角", "港幣五毫", "港币五角", "fifty cents"),
        ("0.01", "港币一分", "港幣一仙", "港币一分", "one cent"),
        ("1.01", "港币一元零一分", "港幣一元零一仙", "港币一块零一分", "one Hong Kong dollar and one cent"),
        ("4.28", "港币四元二角八分", "港幣四元二毫八仙", "港币四块两角八分", "four Hong Kong dollars and twenty eight cents"),
        ("123.45", "港币一百二十三元四角五分", "港幣一百二十三元四毫五仙", "港币一百廿三块四角五分",
            "one hundred and twenty three Hong Kong dollars and forty five cents"),
        ("1234.5", "港币一千二百三十四元五角", "港幣一千二百三十四元五毫", "港币一千两百三十四块五角",
            "one thousand two hundred and thirty four Hong Kong dollars and fifty cents"),
        ("20500", "港币两万零五百元", "港幣兩萬零五百元", "港币两万零五百块", "twenty thousand five hundred Hong Kong dollars"),
        ("-88.8", "港币负八十八元八角", "港幣負八十八元八毫", "港币负八十八块八角",
            "minus eighty eight Hong Kong dollars and eighty cents"),
    ]);
}

#[test]
#[rustfmt::skip]
fn us_dollars() {
    check(SayKind::Money(Usd), &[
        ("0", "零美元", "零美元", "零美元", "zero US dollars"),
        ("1", "一美元", "一美元", "一美元", "one US dollar"),
        ("2", "两美元", "兩美元", "两美元", "two US dollars"),
        ("0.01", "一美分", "一美仙", "一美分", "one cent"),
        ("0.02", "两美分", "兩美仙", "两美分", "two cents"),
        ("0.99", "九十九美分", "九十九美仙", "九十九美分", "ninety nine cents"),
        ("1.01", "一美元零一美分", "一美元零一美仙", "一美元零一美分", "one US dollar and one cent"),
        ("3.02", "三美元零两美分", "三美元零兩美仙", "三美元零两美分", "three US dollars and two cents"),
        ("1.1", "一美元十美分", "一美元十美仙", "一美元十美分", "one US dollar and ten cents"),
        ("2.5", "两美元五十美分", "兩美元五十美仙", "两美元五十美分", "two US dollars and fifty cents"),
        ("19.99", "十九美元九十九美分", "十九美元九十九美仙", "十九美元九十九美分", "nineteen US dollars and ninety nine cents"),
        ("-7.25", "负七美元二十五美分", "負七美元二十五美仙", "负七美元廿五美分", "minus seven US dollars and twenty five cents"),
        ("2000000", "二百万美元", "二百萬美元", "两百万美元", "two million US dollars"),
    ]);
}

#[test]
#[rustfmt::skip]
fn euros_and_pounds() {
    check(SayKind::Money(Eur), &[
        ("1", "一欧元", "一歐元", "一欧元", "one euro"),
        ("2.05", "两欧元零五欧分", "兩歐元零五歐仙", "两欧元零五欧分", "two euros and five cents"),
        ("0.3", "三十欧分", "三十歐仙", "三十欧分", "thirty cents"),
        ("1250.75", "一千二百五十欧元七十五欧分", "一千二百五十歐元七十五歐仙", "一千两百五十欧元七十五欧分",
            "one thousand two hundred and fifty euros and seventy five cents"),
        ("-1.01", "负一欧元零一欧分", "負一歐元零一歐仙", "负一欧元零一欧分", "minus one euro and one cent"),
    ]);
    check(SayKind::Money(Gbp), &[
        ("1", "一英镑", "一英鎊", "一英镑", "one pound"),
        ("0.01", "一便士", "一便士", "一便士", "one penny"),
        ("0.5", "五十便士", "五十便士", "五十便士", "fifty pence"),
        ("2.2", "两英镑二十便士", "兩英鎊二十便士", "两英镑廿便士", "two pounds and twenty pence"),
        ("1.01", "一英镑零一便士", "一英鎊零一便士", "一英镑零一便士", "one pound and one penny"),
        ("105.1", "一百零五英镑十便士", "一百零五英鎊十便士", "一百零五英镑十便士", "one hundred and five pounds and ten pence"),
    ]);
}

#[test]
fn what_is_no_amount() {
    for currency in Currency::ALL {
        refused(
            SayKind::Money(currency),
            &[
                "",
                "-",
                ".",
                "1.",
                ".5",
                "1.234",
                "1.2.3",
                "1,5",
                "1,234",
                "+1",
                "--1",
                "1.-5",
                "1. 5",
                "五",
                "¥5",
                "1e3",
                "1000000000000",
                "99999999999999999999",
            ],
        );
    }
}

#[test]
fn currencies_by_code() {
    for (code, currency) in [("CNY", Cny), ("HKD", Hkd), ("USD", Usd), ("EUR", Eur), ("GBP", Gbp)] {
        assert_eq!((code.parse(), currency.to_string().as_str()), (Ok(currency), code));
    }
    for code in ["", "cny", "RMB", "JPY", "CNY "] {
        assert!(code.parse::<Currency>().is_err(), "{code}");
    }
}
