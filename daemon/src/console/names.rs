//! Names of sites in English, from the Chinese name and its pinyin.
//!
//! Invariant: the name proper keeps its letters; only what kind of division it is, and after which peoples it is named, is put
//! into English. The table of divisions writes a name as one word (`Yongningxian`): the Chinese name tells where its parts
//! begin, so nothing is guessed. A name that does not fit is left as it is.

use std::borrow::Cow;

use onenet_topology::site::SiteName;

/// What kind of division it is: the end of the name in Chinese and pinyin, and in English; provinces and autonomous regions are
/// called by the name alone. Longer ends stand before the shorter ones that they end with.
const KINDS: [(&str, &str, &str); 15] = [
    ("自治区", "zizhiqu", ""),
    ("自治州", "zizhizhou", "Autonomous Prefecture"),
    ("自治县", "zizhixian", "Autonomous County"),
    ("自治旗", "zizhiqi", "Autonomous Banner"),
    ("地区", "diqu", "Prefecture"),
    ("林区", "linqu", "Forestry District"),
    ("矿区", "kuangqu", "Mining District"),
    ("新区", "xinqu", "New District"),
    ("特区", "tequ", "Special District"),
    ("省", "sheng", ""),
    ("市", "shi", "City"),
    ("县", "xian", "County"),
    ("区", "qu", "District"),
    ("旗", "qi", "Banner"),
    ("盟", "meng", "League"),
];

/// Names that are not spelt by pinyin, or are the same in it.
const SPECIAL: [(&str, &str); 3] = [("内蒙古自治区", "Inner Mongolia"), ("西藏自治区", "Tibet"), ("陕西省", "Shaanxi")];

/// The peoples after whom autonomous divisions are named.
const PEOPLES: [(&str, &str, &str); 46] = [
    ("柯尔克孜", "keerkezi", "Kirgiz"),
    ("鄂温克族", "ewenkezu", "Ewenki"),
    ("达斡尔族", "dawoerzu", "Daur"),
    ("哈萨克族", "hasakezu", "Kazak"),
    ("维吾尔", "weiwuer", "Uygur"),
    ("哈萨克", "hasake", "Kazak"),
    ("塔吉克", "tajike", "Tajik"),
    ("哈尼族", "hanizu", "Hani"),
    ("蒙古族", "mengguzu", "Mongol"),
    ("朝鲜族", "chaoxianzu", "Korean"),
    ("土家族", "tujiazu", "Tujia"),
    ("布依族", "buyizu", "Bouyei"),
    ("仡佬族", "gelaozu", "Gelao"),
    ("仫佬族", "mulaozu", "Mulao"),
    ("毛南族", "maonanzu", "Maonan"),
    ("景颇族", "jingpozu", "Jingpo"),
    ("傈僳族", "lisuzu", "Lisu"),
    ("纳西族", "naxizu", "Naxi"),
    ("拉祜族", "lahuzu", "Lahu"),
    ("布朗族", "bulangzu", "Blang"),
    ("独龙族", "dulongzu", "Derung"),
    ("普米族", "pumizu", "Pumi"),
    ("东乡族", "dongxiangzu", "Dongxiang"),
    ("裕固族", "yuguzu", "Yugur"),
    ("保安族", "baoanzu", "Bonan"),
    ("撒拉族", "salazu", "Salar"),
    ("蒙古", "menggu", "Mongol"),
    ("锡伯", "xibo", "Xibe"),
    ("各族", "gezu", "Multi-Ethnic"),
    ("回族", "huizu", "Hui"),
    ("壮族", "zhuangzu", "Zhuang"),
    ("满族", "manzu", "Manchu"),
    ("苗族", "miaozu", "Miao"),
    ("侗族", "dongzu", "Dong"),
    ("瑶族", "yaozu", "Yao"),
    ("彝族", "yizu", "Yi"),
    ("藏族", "zangzu", "Tibetan"),
    ("羌族", "qiangzu", "Qiang"),
    ("白族", "baizu", "Bai"),
    ("傣族", "daizu", "Dai"),
    ("畲族", "shezu", "She"),
    ("黎族", "lizu", "Li"),
    ("水族", "shuizu", "Sui"),
    ("土族", "tuzu", "Tu"),
    ("佤族", "wazu", "Va"),
    ("怒族", "nuzu", "Nu"),
];

/// Returns the name of a site in English, or in Chinese where it has no Latin letters.
pub(crate) fn latin(name: &SiteName) -> Cow<'_, str> {
    if name.latin.is_empty() {
        return Cow::Borrowed(&name.zh);
    }
    // What follows in brackets, such as the word that it is simulated, stays as it is.
    let (latin, rest) = name.latin.find(" (").map_or((name.latin.as_str(), ""), |at| name.latin.split_at(at));
    let zh = name.zh.split('（').next().unwrap_or_default();
    match english(zh, latin) {
        Some(words) => Cow::Owned(words + rest),
        None => Cow::Borrowed(&name.latin),
    }
}

/// Returns a name in English, `None` where it has no known end.
fn english(zh: &str, latin: &str) -> Option<String> {
    if let Some((_, special)) = SPECIAL.iter().find(|(name, _)| *name == zh) {
        return Some((*special).to_owned());
    }
    let (mut zh, mut stem, end) = KINDS.iter().find_map(|kind| cut(zh, latin, kind))?;
    // A people's name without the word for people is one only in the name of an autonomous division.
    let autonomous = end.is_empty() || end.starts_with("Autonomous");
    let named = |people: &&(&str, &str, &str)| autonomous || people.0.ends_with('族');
    let mut peoples = Vec::new();
    while let Some((shorter, rest, people)) = PEOPLES.iter().filter(named).find_map(|people| cut(zh, stem, people)) {
        (zh, stem) = (shorter, rest);
        peoples.push(people);
    }
    if end.is_empty() {
        return Some(stem.to_owned());
    }
    peoples.push(stem);
    peoples.reverse();
    peoples.push(end);
    Some(peoples.join(" "))
}

/// Takes an end off both spellings; something has to be left of them.
fn cut<'n>(
    zh: &'n str,
    latin: &'n str,
    (end, pinyin, english): &(&str, &str, &'static str),
) -> Option<(&'n str, &'n str, &'static str)> {
    let (zh, latin) = (zh.strip_suffix(end)?, latin.strip_suffix(pinyin)?);
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    (!zh.is_empty() && is_word(latin)).then_some((zh, latin, *english))
}

#[cfg(test)]
mod tests {
    use onenet_topology::division;

    use super::*;

    #[test]
    fn a_division_is_called_what_it_is_called_in_english() {
        for (zh, as_given, english) in [
            ("银川市", "Yinchuanshi", "Yinchuan City"),
            ("银川市（演示）", "Yinchuanshi (demo)", "Yinchuan City (demo)"),
            ("永宁县", "Yongningxian", "Yongning County"),
            ("河北省", "Hebeisheng", "Hebei"),
            ("陕西省", "Shanxisheng", "Shaanxi"),
            ("山西省", "Shanxisheng", "Shanxi"),
            ("宁夏回族自治区", "Ningxiahuizuzizhiqu", "Ningxia"),
            ("内蒙古自治区", "Neimengguzizhiqu", "Inner Mongolia"),
            ("湘西土家族苗族自治州", "Xiangxitujiazumiaozuzizhizhou", "Xiangxi Tujia Miao Autonomous Prefecture"),
            ("克孜勒苏柯尔克孜自治州", "Kezileisukeerkezizizhizhou", "Kezileisu Kirgiz Autonomous Prefecture"),
            ("大兴安岭地区", "Daxinganlingdiqu", "Daxinganling Prefecture"),
            ("本机网络（vm）", "This network (vm)", "This network (vm)"),
            ("石家庄市", "Shijiazhuang", "Shijiazhuang"),
            ("石家庄市", "", "石家庄市"),
            ("市", "shi", "shi"),
        ] {
            assert_eq!(latin(&SiteName::new(zh, as_given)), english, "{zh}");
        }
    }

    #[test]
    fn a_name_keeps_its_letters_and_nearly_every_division_has_its_kind_in_english() {
        let mut unchanged = 0;
        for division in division::all() {
            let name = SiteName::new(division.name, division.pinyin);
            let english = latin(&name);
            if SPECIAL.iter().any(|(_, special)| *special == english) {
                continue;
            }
            let first = english.split(' ').next().unwrap_or_default().to_lowercase();
            let pinyin = division.pinyin.replace(' ', "").to_lowercase();
            assert!(!first.is_empty() && pinyin.starts_with(&first), "{}: {english}", division.name);
            unchanged += usize::from(english == division.pinyin);
            // One county is named after its people and nothing else.
            let people = |word: &str| word.len() > 8 && word.ends_with("zu") && word != "Dongxiangzu";
            assert!(!english.split(' ').any(people), "{} is not taken apart: {english}", division.name);
        }
        // The ministry, and six offices that are no division by their name.
        assert!(unchanged <= 8, "{unchanged} names stay as they are");
    }
}
