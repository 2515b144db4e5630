"""What the heads tell apart; apart from torch, for the scripts that need none."""

LAYERS = 6
DOMAINS = (
    "biology",
    "business",
    "chemistry",
    "computer science",
    "economics",
    "engineering",
    "health",
    "history",
    "law",
    "math",
    "other",
    "philosophy",
    "physics",
    "psychology",
)
ENTITIES = (
    "AGE",
    "CREDIT_CARD",
    "DATE_TIME",
    "DOMAIN_NAME",
    "EMAIL_ADDRESS",
    "GPE",
    "IBAN_CODE",
    "IP_ADDRESS",
    "NRP",
    "ORGANIZATION",
    "PERSON",
    "PHONE_NUMBER",
    "STREET_ADDRESS",
    "TITLE",
    "US_DRIVER_LICENSE",
    "US_SSN",
    "ZIP_CODE",
)
TAGS = ("O", *(f"{prefix}-{name}" for name in ENTITIES for prefix in "BI"))
SEQUENCE_LABELS = {
    "domain": DOMAINS,
    "jailbreak": ("benign", "jailbreak"),
    "complexity": ("easy", "medium", "hard"),
}
