//! Names of sites in Latin letters, written so that they can be read.
//!
//! Invariant: only the writing changes, never the letters. The table of divisions writes a name as one word
//! (`Ningxiahuizuzizhiqu`); GB/T 2260 and the rules for place names write its parts apart (`Ningxia Huizu Zizhiqu`). The
//! Chinese name tells where the parts begin, so nothing is guessed; a name that does not fit is left as it is.

use std::borrow::Cow;

use onenet_topology::site::SiteName;

/// What kind of division it is: the end of the name. Longer ends stand before the shorter ones that they end with.
const KINDS: [(&str, &str); 15] = [
    ("自治区", "zizhiqu"),
    ("自治州", "zizhizhou"),
    ("自治县", "zizhixian"),
    ("自治旗", "zizhiqi"),
    ("地区", "diqu"),
    ("林区", "linqu"),
    ("矿区", "kuangqu"),
    ("新区", "xinqu"),
    ("特区", "tequ"),
    ("省", "sheng"),
    ("市", "shi"),
    ("县", "xian"),
    ("区", "qu"),
    ("旗", "qi"),
    ("盟", "meng"),
];

/// The peoples after whom autonomous divisions are named.
const PEOPLES: [(&str, &str); 46] = [
    ("柯尔克孜", "keerkezi"),
    ("鄂温克族", "ewenkezu"),
    ("达斡尔族", "dawoerzu"),
    ("哈萨克族", "hasakezu"),
    ("维吾尔", "weiwuer"),
    ("哈萨克", "hasake"),
    ("塔吉克", "tajike"),
    ("哈尼族", "hanizu"),
    ("蒙古族", "mengguzu"),
    ("朝鲜族", "chaoxianzu"),
    ("土家族", "tujiazu"),
    ("布依族", "buyizu"),
    ("仡佬族", "gelaozu"),
    ("仫佬族", "mulaozu"),
    ("毛南族", "maonanzu"),
    ("景颇族", "jingpozu"),
    ("傈僳族", "lisuzu"),
    ("纳西族", "naxizu"),
    ("拉祜族", "lahuzu"),
    ("布朗族", "bulangzu"),
    ("独龙族", "dulongzu"),
    ("普米族", "pumizu"),
    ("东乡族", "dongxiangzu"),
    ("裕固族", "yuguzu"),
    ("保安族", "baoanzu"),
    ("撒拉族", "salazu"),
    ("蒙古", "menggu"),
    ("锡伯", "xibo"),
    ("各族", "gezu"),
    ("回族", "huizu"),
    ("壮族", "zhuangzu"),
    ("满族", "manzu"),
    ("苗族", "miaozu"),
    ("侗族", "dongzu"),
    ("瑶族", "yaozu"),
    ("彝族", "yizu"),
    ("藏族", "zangzu"),
    ("羌族", "qiangzu"),
    ("白族", "baizu"),
    ("傣族", "daizu"),
    ("畲族", "shezu"),
    ("黎族", "lizu"),
    ("水族", "shuizu"),
    ("土族", "tuzu"),
    ("佤族", "wazu"),
    ("怒族", "nuzu"),
];

/// Returns the name of a site in Latin letters with its parts apart, or in Chinese where it has none.
pub(super) fn latin(name: &SiteName) -> Cow<'_, str> {
    if name.latin.is_empty() {
        return Cow::Borrowed(&name.zh);
    }
    // What follows in brackets, such as the word that it is simulated, stays as it is.
    let (latin, rest) = name.latin.find(" (").map_or((name.latin.as_str(), ""), |at| name.latin.split_at(at));
    let zh = name.zh.split('（').next().unwrap_or_default();
    match apart(zh, latin) {
        Some(words) => Cow::Owned(words + rest),
        None => Cow::Borrowed(&name.latin),
    }
}

/// Returns the words of a name that was written as one, `None` where it is none or has no known end.
fn apart(zh: &str, latin: &str) -> Option<String> {
    let (mut zh, mut stem, kind) = KINDS.iter().find_map(|kind| cut(zh, latin, kind))?;
    let mut words = vec![capital(kind)];
    // A people's name without the word for people is one only in the name of an autonomous division.
    let named = |people: &&(&str, &str)| kind.starts_with("zizhi") || people.0.ends_with('族');
    while let Some((shorter, rest, people)) = PEOPLES.iter().filter(named).find_map(|people| cut(zh, stem, people)) {
        (zh, stem) = (shorter, rest);
        words.push(capital(people));
    }
    words.push(stem.to_owned());
    words.reverse();
    Some(words.join(" "))
}

/// Takes an end off both spellings; something has to be left of them.
fn cut<'n>(
    zh: &'n str,
    latin: &'n str,
    (end, pinyin): &(&str, &'static str),
) -> Option<(&'n str, &'n str, &'static str)> {
    let (zh, latin) = (zh.strip_suffix(end)?, latin.strip_suffix(pinyin)?);
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    (!zh.is_empty() && is_word(latin)).then_some((zh, latin, pinyin))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use onenet_topology::division;

    use super::*;

    #[test]
    fn the_parts_of_a_name_are_written_apart() {
        for (zh, latin_as_given, readable) in [
            ("银川市", "Yinchuanshi", "Yinchuan Shi"),
            ("银川市（演示）", "Yinchuanshi (demo)", "Yinchuan Shi (demo)"),
            ("宁夏回族自治区", "Ningxiahuizuzizhiqu", "Ningxia Huizu Zizhiqu"),
            ("湘西土家族苗族自治州", "Xiangxitujiazumiaozuzizhizhou", "Xiangxi Tujiazu Miaozu Zizhizhou"),
            ("克孜勒苏柯尔克孜自治州", "Kezileisukeerkezizizhizhou", "Kezileisu Keerkezi Zizhizhou"),
            ("大兴安岭地区", "Daxinganlingdiqu", "Daxinganling Diqu"),
            ("本机网络（vm）", "This network (vm)", "This network (vm)"),
            ("石家庄市", "Shijiazhuang", "Shijiazhuang"),
            ("石家庄市", "", "石家庄市"),
            ("市", "shi", "shi"),
        ] {
            assert_eq!(latin(&SiteName::new(zh, latin_as_given)), readable, "{zh}");
        }
    }

    #[test]
    fn only_the_writing_changes_and_nearly_every_division_becomes_readable() {
        let mut unchanged = 0;
        for division in division::all() {
            let name = SiteName::new(division.name, division.pinyin);
            let readable = latin(&name);
            assert_eq!(readable.replace(' ', "").to_lowercase(), division.pinyin.to_lowercase());
            unchanged += usize::from(!readable.contains(' '));
            // One county is named after its people and nothing else.
            let people = |word: &str| word.len() > 8 && word.ends_with("zu") && word != "Dongxiangzu";
            let left_over: Vec<_> = readable.split(' ').filter(|word| people(word)).collect();
            assert!(
                left_over.iter().all(|word| PEOPLES.iter().any(|(_, one)| one.eq_ignore_ascii_case(word))),
                "{} is not taken apart: {readable}",
                division.name
            );
        }
        // The ministry, and six offices that are no division by their name.
        assert!(unchanged <= 8, "{unchanged} names stay as they are");
    }
}
