"""Words by which two questions can be told apart though they look alike. Data; English and Chinese."""

from typing import Final

_NEGATIONS: Final = """
not no never none nothing nobody nowhere neither nor without cannot cant dont doesnt didnt isnt arent wasnt
werent wont wouldnt shouldnt couldnt hasnt havent hadnt except unless avoid
"""
NEGATIONS: Final = frozenset(_NEGATIONS.split())
"""Beside every word that ends in ``n't``."""
NEGATIVE_SIGNS: Final = "不没沒无無非别別勿未莫"
"""Characters of Chinese, each a negation."""

NUMBERS: Final = {
    word: number
    for number, words in {
        "0": "zero",
        "1": "first",
        "2": "two twice second double",
        "3": "three third triple thrice",
        "4": "four fourth quarter",
        "5": "five fifth",
        "6": "six sixth",
        "7": "seven seventh",
        "8": "eight eighth",
        "9": "nine ninth",
        "10": "ten tenth",
        "11": "eleven eleventh",
        "12": "twelve twelfth dozen",
        "13": "thirteen thirteenth",
        "14": "fourteen fourteenth",
        "15": "fifteen fifteenth",
        "16": "sixteen sixteenth",
        "17": "seventeen seventeenth",
        "18": "eighteen eighteenth",
        "19": "nineteen nineteenth",
        "20": "twenty twentieth",
        "30": "thirty thirtieth",
        "40": "forty fortieth",
        "50": "fifty fiftieth",
        "60": "sixty sixtieth",
        "70": "seventy seventieth",
        "80": "eighty eightieth",
        "90": "ninety ninetieth",
        "100": "hundred hundredth",
        "1000": "thousand thousandth",
        "1000000": "million millionth",
        "1000000000": "billion billionth",
        "1/2": "half halve",
    }.items()
    for word in words.split()
}
NUMERALS: Final = "零〇一二两兩三四五六七八九十百千万萬亿億半"
"""Characters of Chinese that count."""

_OPPOSITES: Final = """
increase raise grow gain rise up | decrease reduce lower shrink lose fall drop down
maximum max most highest largest biggest best upper | minimum min least lowest smallest worst lower
more greater higher bigger larger longer | less fewer lower smaller shorter
high tall | low short
long longest detailed | short shortest brief
before earlier pre | after later post
above over | below under beneath
first earliest | last latest final
left | right
north northern | south southern
east eastern | west western
hot warm heat | cold cool chill
buy purchase | sell
import | export
open unlock | close shut lock
start begin enable activate on | stop end disable deactivate off
add insert append include | remove delete drop exclude
encrypt encode compress | decrypt decode decompress
install | uninstall
upload | download
push | pull
push enqueue | pop dequeue
save keep | discard lose
win | lose
accept approve allow permit | reject refuse deny forbid
love like | hate dislike
good positive benefits advantages pros pro | bad negative drawbacks disadvantages cons con
safe legal | unsafe dangerous illegal
possible | impossible
true right correct | false wrong incorrect
inside internal inner indoor | outside external outer outdoor
input | output
read | write
ascending | descending
male man men boy father son husband he his | female woman women girl mother daughter wife she her
old | young new
ancient | modern
public | private
input source from | output target to
employer landlord plaintiff buyer | employee tenant defendant seller
supply | demand
debit asset | credit liability
acute | chronic
acid acidic | base basic alkaline
oxidation | reduction
mitosis | meiosis
artery | vein
absolute | relative
macro | micro
synchronous | asynchronous
horizontal | vertical
convex | concave
series | parallel
ac | dc
inductive | deductive
儿子 男 | 女儿 女
增加 提高 上升 | 减少 降低 下降
"""


def _sides() -> dict[str, tuple[tuple[int, int], ...]]:
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    for number, line in enumerate(_OPPOSITES.strip().splitlines()):
        for side, words in enumerate(line.split("|")):
            for word in words.split():
                found[word] = (*found.get(word, ()), (number, side))
    return found


OPPOSITES: Final = _sides()
"""The pairs a word is in, and on which side."""

FRAME: Final = {
    word: kind
    for kind, words in {
        "when": "when",
        "where": "where",
        "who": "who whom whos",
        "whose": "whose",
        "why": "why",
        "which": "which",
        "should": "should must shall ought",
        "will": "will",
        "past": "was were did had",
        "my": "my mine",
        "your": "your yours",
        "our": "our ours",
        "his": "his her hers",
        "their": "their theirs",
    }.items()
    for word in words.split()
}
"""Words that say what is asked of a topic: time, place, person, reason, duty, tense, and whose it is."""
MEASURES: Final = frozenset(
    {"many", "much", "long", "far", "often", "old", "big", "tall", "fast", "high", "deep"}
)
"""What a question for a measure has after ``how``."""

_COMMON: Final = """
a able about actually also am an and answer any are as at basically be been being but by can could
curious describe did do does doing done exactly explain explanation for from give had has have having he
hello help her here hey hi him his how hows i id if ill im in into is it its ive just know let lets like
lot lots may me mean meaning means meant might mine must my need of onto or our own please provide
question quickly really say shall she should show so some such tell thank thanks that thats the their
them then there theres these they theyre thing things think this those to understand understanding us
very want was way we were what whats when where wheres which who whom whos whose why will with wonder
wondering would you your youre
"""
COMMON: Final = frozenset(_COMMON.split())
"""Words that carry no topic: two ways of asking the same differ in these."""
