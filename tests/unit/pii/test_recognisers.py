import pytest

from pointsman.pii import confident, merge, recognise

FOUND = [
    ("CREDIT_CARD", "visa «4111 1111 1111 1111» exp 09/27"),
    ("CREDIT_CARD", "in 2024 «4111 1111 1111 1111» was charged"),
    ("CREDIT_CARD", "my card number is «4111 1111 1111 1112»"),
    ("CREDIT_CARD", "我的信用卡号是«4111111111111111»"),
    ("CREDIT_CARD", "amex «3782 822463 10005»"),
    ("CREDIT_CARD", "pay with «4111\u200b1111\u200b1111\u200b1111»"),
    ("IBAN_CODE", "Überweise an «DE89 3704 0044 0532 0130 00» bitte"),
    ("IBAN_CODE", "to GB82 or «GB82WEST12345698765432»"),
    ("IBAN_CODE", "my iban is «DE88 3704 0044 0532 0130 00»"),
    ("US_SSN", "My SSN is «473 92 1311»."),
    ("US_SSN", "ssn «549376277»"),
    ("US_SSN", "Is «473-92-1311» right?"),
    ("IP_ADDRESS", "ping «10.0.0.1» twice"),
    ("IP_ADDRESS", "服务器«１７.84.63.110»连不上"),
    ("IP_ADDRESS", "allow «192.168.4.0»/24"),
    ("IP_ADDRESS", "http://[«2001:db8::ff00:42:8329»]:8080/"),
    ("IP_ADDRESS", "http://«8b0a:63b3:2879:f667:7cfe:1b0f:eadd:2eef»:8080/"),
    ("IP_ADDRESS", "via «fe80::1»."),
    ("EMAIL_ADDRESS", "给«luogang@dh.cn»写一封邮件"),
    ("EMAIL_ADDRESS", "log: user=«o'neil+x@mail.example.co.uk»."),
    ("PHONE_NUMBER", "call «(415) 555-2671» now"),
    ("PHONE_NUMBER", "«+44 20 7946 0958» is theirs"),
    ("PHONE_NUMBER", "reach «212-706-5112 x435»"),
    ("PHONE_NUMBER", "我的手机号是«13812345678»"),
    ("PHONE_NUMBER", "«138 1234 5678»"),
    ("PHONE_NUMBER", "my phone number is «7438100864»"),
    ("PHONE_NUMBER", "座机«010-62781234»"),
    ("DOMAIN_NAME", "check whether «hampton.edu» is down"),
    ("DOMAIN_NAME", "see «https://www.pineda.com/a?b=(c)», please"),
    ("DOMAIN_NAME", "(«www.jacobs-lopez.com.au»)"),
    ("DOMAIN_NAME", "the domain «pointsman.io» is free"),
    ("ZIP_CODE", "My zip code is «44718»"),
    ("ZIP_CODE", "in Austin, TX «78701» today"),
    ("ZIP_CODE", "near «SW1A 1AA» in London"),
    ("ZIP_CODE", "邮编«100084»"),
    ("DATE_TIME", "at «2023-10-15T10:30:00Z» sharp"),
    ("DATE_TIME", "born «March 7th, 1951»"),
    ("DATE_TIME", "born on «7 March 1951»."),
    ("DATE_TIME", "due «04/12/1962»"),
    ("DATE_TIME", "生于«1949年10月1日»"),
    ("DATE_TIME", "生于«一九四九年十月一日»"),
    ("AGE", "a «47»-year-old man"),
    ("AGE", "aged «80», of Berlin"),
    ("AGE", "王冬梅今年«54»岁"),
    ("AGE", "王冬梅今年«五十四»岁"),
    ("AGE", "I'm «13» years old"),
    ("US_DRIVER_LICENSE", "My driver's license number is «K823-3303-8160» and"),
    ("TITLE", "Dear «Prof.» Perrot"),
    ("TITLE", "«Mrs» Yoder flew"),
    ("STREET_ADDRESS", "I live at «221 Baker Street» in London"),
    ("STREET_ADDRESS", "ship to «3799 David Lodge Apt. 249, Paigeland, TN 38394»."),
    ("STREET_ADDRESS", "send it to «PSC 5003, Box 6824, APO AP 14265»"),
    ("STREET_ADDRESS", "请寄到«北京市海淀区中关村大街27号»"),
]

NOT_FOUND = [
    ("CREDIT_CARD", "order number 4111111111111111 has shipped"),
    ("CREDIT_CARD", "x4111111111111111"),
    ("CREDIT_CARD", "the card 0000 0000 0000 0000"),
    ("CREDIT_CARD", "at 1700000000000 ms"),
    ("CREDIT_CARD", "0.4111111111111111"),
    ("IBAN_CODE", "the word DE89 and then some words follow here"),
    ("US_SSN", "000-12-3456 and 666-12-3456 and 923-12-3456"),
    ("US_SSN", "part 123-45-6789-0"),
    ("US_SSN", "there were 549376277 of them"),
    ("IP_ADDRESS", "version 1.2.3.4 and v1.2.3.4"),
    ("IP_ADDRESS", "listens on 127.0.0.1 with mask 255.255.255.0"),
    ("IP_ADDRESS", "at 12:30:45, std::vector, a::b, x[1::2] and x[100::200]"),
    ("IP_ADDRESS", "300.1.1.1"),
    ("IP_ADDRESS", "OID 1.3.6.1.4.1"),
    ("EMAIL_ADDRESS", "@handle, a@b and me@localhost"),
    ("PHONE_NUMBER", "order 4155552671, invoice 2127065112"),
    ("PHONE_NUMBER", "order number 212-706-5112"),
    ("PHONE_NUMBER", "pi is 3.14159265358"),
    ("PHONE_NUMBER", "in 2023-10-15 and 10.06.2013"),
    ("DOMAIN_NAME", "import os.path; self.id = df.to; main.rs, run.sh and README.md"),
    ("DOMAIN_NAME", "ASP.NET is not Node.js"),
    ("DOMAIN_NAME", "he stopped.It was late"),
    ("DOMAIN_NAME", "mail a.b@example.com"),
    ("DOMAIN_NAME", "call user.com() or user.com_id"),
    ("ZIP_CODE", "there are 44718 of them"),
    ("DATE_TIME", "version 1.2.2023.4 of 3/4"),
    ("DATE_TIME", "a ratio of 16:9"),
    ("AGE", "48 years of history"),
    ("AGE", "百岁之后"),
    ("US_DRIVER_LICENSE", "the number 123456789"),
    ("TITLE", "the doctor said miss you"),
    ("STREET_ADDRESS", "the 3 Wise Men walked 5 miles"),
]


def found(text: str, label: str) -> list[str]:
    """What is found under a label, with its usual threshold."""
    findings = confident(merge(text, recognise(text)))
    return [text[finding.start : finding.end] for finding in findings if finding.label == label]


@pytest.mark.parametrize(("label", "marked"), FOUND)
def test_what_is_marked_is_found(label: str, marked: str) -> None:
    """Exactly what stands between the marks is found under the label."""
    before, _, rest = marked.partition("«")
    wanted, _, after = rest.partition("»")
    assert found(before + wanted + after, label) == [wanted]


@pytest.mark.parametrize(("label", "text"), NOT_FOUND)
def test_what_only_looks_alike_is_not_found(label: str, text: str) -> None:
    """Nothing in these texts is under the label."""
    assert found(text, label) == []


def test_evidence_never_quotes_the_text() -> None:
    """Reasons come from our own word lists, so that findings can be logged."""
    text = "card 4111111111111111, phone +44 20 7946 0958, mail jo@example.org, ssn 473-92-1311"
    secrets = ("4111", "7946", "jo@", "473")
    evidence = " ".join(reason for finding in recognise(text) for reason in finding.evidence)
    assert evidence
    assert not any(secret in evidence for secret in secrets)
