//! Places in a line, and numbers as whole words of other kinds use them.

use crate::{check, refused};
use hotline_ivr::SayKind;

#[test]
#[rustfmt::skip]
fn places() {
    check(SayKind::Position, &[
        ("1", "第一位", "第一位", "第一位", "first"),
        ("2", "第二位", "第二位", "第二位", "second"),
        ("3", "第三位", "第三位", "第三位", "third"),
        ("4", "第四位", "第四位", "第四位", "fourth"),
        ("5", "第五位", "第五位", "第五位", "fifth"),
        ("6", "第六位", "第六位", "第六位", "sixth"),
        ("7", "第七位", "第七位", "第七位", "seventh"),
        ("8", "第八位", "第八位", "第八位", "eighth"),
        ("9", "第九位", "第九位", "第九位", "ninth"),
        ("10", "第十位", "第十位", "第十位", "tenth"),
        ("11", "第十一位", "第十一位", "第十一位", "eleventh"),
        ("12", "第十二位", "第十二位", "第十二位", "twelfth"),
        ("13", "第十三位", "第十三位", "第十三位", "thirteenth"),
        ("15", "第十五位", "第十五位", "第十五位", "fifteenth"),
        ("18", "第十八位", "第十八位", "第十八位", "eighteenth"),
        ("19", "第十九位", "第十九位", "第十九位", "nineteenth"),
        ("20", "第二十位", "第二十位", "第廿位", "twentieth"),
        ("21", "第二十一位", "第二十一位", "第廿一位", "twenty first"),
        ("22", "第二十二位", "第二十二位", "第廿二位", "twenty second"),
        ("30", "第三十位", "第三十位", "第三十位", "thirtieth"),
        ("33", "第三十三位", "第三十三位", "第三十三位", "thirty third"),
        ("40", "第四十位", "第四十位", "第四十位", "fortieth"),
        ("58", "第五十八位", "第五十八位", "第五十八位", "fifty eighth"),
        ("90", "第九十位", "第九十位", "第九十位", "ninetieth"),
        ("99", "第九十九位", "第九十九位", "第九十九位", "ninety ninth"),
        ("100", "第一百位", "第一百位", "第一百位", "one hundredth"),
        ("101", "第一百零一位", "第一百零一位", "第一百零一位", "one hundred and first"),
        ("102", "第一百零二位", "第一百零二位", "第一百零二位", "one hundred and second"),
        ("120", "第一百二十位", "第一百二十位", "第一百廿位", "one hundred and twentieth"),
        ("123", "第一百二十三位", "第一百二十三位", "第一百廿三位", "one hundred and twenty third"),
        ("200", "第二百位", "第二百位", "第两百位", "two hundredth"),
        ("999", "第九百九十九位", "第九百九十九位", "第九百九十九位", "nine hundred and ninety ninth"),
        ("1000", "第一千位", "第一千位", "第一千位", "one thousandth"),
        ("1001", "第一千零一位", "第一千零一位", "第一千零一位", "one thousand and first"),
        ("1100", "第一千一百位", "第一千一百位", "第一千一百位", "one thousand one hundredth"),
        ("2000", "第两千位", "第兩千位", "第两千位", "two thousandth"),
        ("2025", "第两千零二十五位", "第兩千零二十五位", "第两千零廿五位", "two thousand and twenty fifth"),
        ("9999", "第九千九百九十九位", "第九千九百九十九位", "第九千九百九十九位",
            "nine thousand nine hundred and ninety ninth"),
    ]);
}

#[test]
fn what_is_no_place() {
    refused(SayKind::Position, &["", "0", "-1", "10000", "1.5", "third", "1st"]);
}

#[test]
#[rustfmt::skip]
fn numbers() {
    check(SayKind::Number, &[
        ("-2", "负二", "負二", "负二", "minus two"),
        ("-120", "负一百二十", "負一百二十", "负一百廿", "minus one hundred and twenty"),
        ("16", "十六", "十六", "十六", "sixteen"),
        ("21", "二十一", "二十一", "廿一", "twenty one"),
        ("60", "六十", "六十", "六十", "sixty"),
        ("78", "七十八", "七十八", "七十八", "seventy eight"),
        ("105", "一百零五", "一百零五", "一百零五", "one hundred and five"),
        ("333", "三百三十三", "三百三十三", "三百三十三", "three hundred and thirty three"),
        ("660", "六百六十", "六百六十", "六百六十", "six hundred and sixty"),
        ("2012", "两千零一十二", "兩千零一十二", "两千零一十二", "two thousand and twelve"),
        ("3020", "三千零二十", "三千零二十", "三千零廿", "three thousand and twenty"),
        ("7800", "七千八百", "七千八百", "七千八百", "seven thousand eight hundred"),
        ("20002", "两万零二", "兩萬零二", "两万零二", "twenty thousand and two"),
        ("30300", "三万零三百", "三萬零三百", "三万零三百", "thirty thousand three hundred"),
        ("1002000", "一百万二千", "一百萬二千", "一百万两千", "one million two thousand"),
        ("60000006", "六千万零六", "六千萬零六", "六千万零六", "sixty million and six"),
        ("1300000000", "十三亿", "十三億", "十三亿", "one billion three hundred million"),
    ]);
}
