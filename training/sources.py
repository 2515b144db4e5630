"""Where the labelled questions come from and under which licence; the texts are not in the repository."""

SOURCES = {
    "agieval-aqua-rat": ("ruixiangcui/AGIEval (AQuA stems)", "MIT"),
    "agieval-math": ("ruixiangcui/AGIEval (MATH stems)", "MIT"),
    "belle-eval": ("LianjiaTech/BELLE eval/", "Apache-2.0; written with the help of a proprietary model"),
    "clinc150": ("clinc/oos-eval", "CC BY 3.0"),
    "exams-qa": ("mhardalov/exams-qa", "CC BY-SA 4.0"),
    "gaokao-bench": ("OpenLMLab/GAOKAO-Bench", "Apache-2.0"),
    "gsm8k": ("openai/grade-school-math (train)", "MIT"),
    "legalbench": ("HazyResearch/legalbench, openly licensed tasks only", "CC BY 4.0 / MIT"),
    "mbpp": ("google-research MBPP, task descriptions", "CC BY 4.0 (the mirror used has no licence file)"),
    "medquad": ("abachaa/MedQuAD", "CC BY 4.0"),
    "mgsm": ("google-research/url-nlp mgsm/", "CC BY 4.0"),
    "mmlu": ("hendrycks/test, question stems", "MIT"),
    "opentriviaqa": ("uberspot/OpenTriviaQA", "CC BY-SA 4.0"),
    "own-templates": ("generators written for this project", "CC0"),
    "pubmedqa": ("pubmedqa/pubmedqa", "MIT"),
    "stackoverflow-titles": ("jacoxu/StackOverflow", "CC BY-SA (the mirror has no licence file)"),
    "tat-qa": ("NExTplusplus/TAT-QA (dev)", "CC BY 4.0"),
}
