//! Durations and waits.

use crate::{check, refused};
use hotline_ivr::SayKind;
use hotline_ivr::say::text;

#[test]
#[rustfmt::skip]
fn durations() {
    check(SayKind::Duration, &[
        ("0", "零秒", "零秒", "零秒", "zero seconds"),
        ("1", "一秒", "一秒", "一秒", "one second"),
        ("2", "两秒", "兩秒", "两秒", "two seconds"),
        ("10", "十秒", "十秒", "十秒", "ten seconds"),
        ("12", "十二秒", "十二秒", "十二秒", "twelve seconds"),
        ("20", "二十秒", "二十秒", "廿秒", "twenty seconds"),
        ("59", "五十九秒", "五十九秒", "五十九秒", "fifty nine seconds"),
        ("60", "一分钟", "一分鐘", "一分钟", "one minute"),
        ("61", "一分钟零一秒", "一分鐘零一秒", "一分钟零一秒", "one minute and one second"),
        ("72", "一分钟十二秒", "一分鐘十二秒", "一分钟十二秒", "one minute and twelve seconds"),
        ("120", "两分钟", "兩分鐘", "两分钟", "two minutes"),
        ("122", "两分钟零两秒", "兩分鐘零兩秒", "两分钟零两秒", "two minutes and two seconds"),
        ("600", "十分钟", "十分鐘", "十分钟", "ten minutes"),
        ("720", "十二分钟", "十二分鐘", "十二分钟", "twelve minutes"),
        ("1320", "二十二分钟", "二十二分鐘", "廿二分钟", "twenty two minutes"),
        ("1815", "三十分钟十五秒", "三十分鐘十五秒", "三十分钟十五秒", "thirty minutes and fifteen seconds"),
        ("3600", "一个小时", "一個鐘頭", "一个钟头", "one hour"),
        ("3601", "一个小时零一秒", "一個鐘頭零一秒", "一个钟头零一秒", "one hour and one second"),
        ("3630", "一个小时零三十秒", "一個鐘頭零三十秒", "一个钟头零三十秒", "one hour and thirty seconds"),
        ("3660", "一个小时零一分钟", "一個鐘頭零一分鐘", "一个钟头零一分钟", "one hour and one minute"),
        ("3661", "一个小时零一分钟零一秒", "一個鐘頭零一分鐘零一秒", "一个钟头零一分钟零一秒", "one hour one minute and one second"),
        ("3725", "一个小时零两分钟零五秒", "一個鐘頭零兩分鐘零五秒", "一个钟头零两分钟零五秒", "one hour two minutes and five seconds"),
        ("4200", "一个小时十分钟", "一個鐘頭十分鐘", "一个钟头十分钟", "one hour and ten minutes"),
        ("5400", "一个小时三十分钟", "一個鐘頭三十分鐘", "一个钟头三十分钟", "one hour and thirty minutes"),
        ("7200", "两个小时", "兩個鐘頭", "两个钟头", "two hours"),
        ("8130", "两个小时十五分钟三十秒", "兩個鐘頭十五分鐘三十秒", "两个钟头十五分钟三十秒", "two hours fifteen minutes and thirty seconds"),
        ("43200", "十二个小时", "十二個鐘頭", "十二个钟头", "twelve hours"),
        ("86400", "二十四个小时", "二十四個鐘頭", "廿四个钟头", "twenty four hours"),
        ("367200", "一百零二个小时", "一百零二個鐘頭", "一百零二个钟头", "one hundred and two hours"),
        ("720000", "二百个小时", "二百個鐘頭", "两百个钟头", "two hundred hours"),
        ("7200000", "两千个小时", "兩千個鐘頭", "两千个钟头", "two thousand hours"),
    ]);
}

#[test]
#[rustfmt::skip]
fn waits() {
    check(SayKind::Wait, &[
        ("0", "不到一分钟", "唔使一分鐘", "勿到一分钟", "less than a minute"),
        ("59", "不到一分钟", "唔使一分鐘", "勿到一分钟", "less than a minute"),
        ("60", "大约一分钟", "大約一分鐘", "大概一分钟", "about one minute"),
        ("61", "大约两分钟", "大約兩分鐘", "大概两分钟", "about two minutes"),
        ("240", "大约四分钟", "大約四分鐘", "大概四分钟", "about four minutes"),
        ("241", "大约五分钟", "大約五分鐘", "大概五分钟", "about five minutes"),
        ("600", "大约十分钟", "大約十分鐘", "大概十分钟", "about ten minutes"),
        ("601", "大约十五分钟", "大約十五分鐘", "大概十五分钟", "about fifteen minutes"),
        ("1200", "大约二十分钟", "大約二十分鐘", "大概廿分钟", "about twenty minutes"),
        ("1201", "大约二十五分钟", "大約二十五分鐘", "大概廿五分钟", "about twenty five minutes"),
        ("1800", "大约三十分钟", "大約三十分鐘", "大概三十分钟", "about thirty minutes"),
        ("1801", "大约四十分钟", "大約四十分鐘", "大概四十分钟", "about forty minutes"),
        ("2500", "大约五十分钟", "大約五十分鐘", "大概五十分钟", "about fifty minutes"),
        ("3001", "大约一个小时", "大約一個鐘頭", "大概一个钟头", "about an hour"),
        ("3600", "大约一个小时", "大約一個鐘頭", "大概一个钟头", "about an hour"),
        ("3601", "一个小时以上", "一個鐘頭以上", "一个钟头以上", "more than an hour"),
        ("86400", "一个小时以上", "一個鐘頭以上", "一个钟头以上", "more than an hour"),
        ("0-0", "不到一分钟", "唔使一分鐘", "勿到一分钟", "less than a minute"),
        ("10-59", "不到一分钟", "唔使一分鐘", "勿到一分钟", "less than a minute"),
        ("0-60", "大约一分钟", "大約一分鐘", "大概一分钟", "about one minute"),
        ("30-240", "一到四分钟", "一至四分鐘", "一到四分钟", "one to four minutes"),
        ("61-120", "大约两分钟", "大約兩分鐘", "大概两分钟", "about two minutes"),
        ("120-180", "两到三分钟", "兩至三分鐘", "两到三分钟", "two to three minutes"),
        ("60-120", "一到两分钟", "一至兩分鐘", "一到两分钟", "one to two minutes"),
        ("240-480", "四到八分钟", "四至八分鐘", "四到八分钟", "four to eight minutes"),
        ("241-541", "五到十分钟", "五至十分鐘", "五到十分钟", "five to ten minutes"),
        ("601-900", "大约十五分钟", "大約十五分鐘", "大概十五分钟", "about fifteen minutes"),
        ("590-1700", "十到三十分钟", "十至三十分鐘", "十到三十分钟", "ten to thirty minutes"),
        ("1500-1800", "二十五到三十分钟", "二十五至三十分鐘", "廿五到三十分钟", "twenty five to thirty minutes"),
        ("1800-3600", "三十到六十分钟", "三十至六十分鐘", "三十到六十分钟", "thirty to sixty minutes"),
        ("3300-3600", "大约一个小时", "大約一個鐘頭", "大概一个钟头", "about an hour"),
        ("60-3601", "一个小时以上", "一個鐘頭以上", "一个钟头以上", "more than an hour"),
        ("4000-9000", "一个小时以上", "一個鐘頭以上", "一个钟头以上", "more than an hour"),
    ]);
}

/// No wait is announced shorter than it is, to the second.
#[test]
fn a_wait_is_never_rounded_down() {
    #[rustfmt::skip]
    let longest = [
        (59, "less than a minute"), (60, "about one minute"), (120, "about two minutes"), (180, "about three minutes"),
        (240, "about four minutes"), (300, "about five minutes"), (360, "about six minutes"),
        (420, "about seven minutes"), (480, "about eight minutes"), (540, "about nine minutes"),
        (600, "about ten minutes"), (900, "about fifteen minutes"), (1200, "about twenty minutes"),
        (1500, "about twenty five minutes"), (1800, "about thirty minutes"), (2400, "about forty minutes"),
        (3000, "about fifty minutes"), (3600, "about an hour"), (u64::MAX, "more than an hour"),
    ];
    for seconds in 0..10_000 {
        let (_, expected) = longest.iter().find(|(most, _)| seconds <= *most).expect("the last is endless");
        assert_eq!(
            text(SayKind::Wait, &seconds.to_string(), "en").as_deref(),
            Some(*expected),
            "{seconds} s"
        );
    }
}

#[test]
fn what_is_no_length() {
    refused(SayKind::Duration, &["", "-1", "1.5", "90s", "1-2", "1:30", "1000000000000"]);
    refused(
        SayKind::Wait,
        &["", "-", "-1", "1-", "-1-5", "480-240", "1-2-3", "1.5", "4m", "0-1000000000000"],
    );
}
