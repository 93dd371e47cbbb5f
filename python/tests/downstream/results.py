"""Prints numbers that LangChain, LlamaIndex and litellm compute with tiktoken, or with tiktally in its place."""

import json
import os
import sys

if sys.argv[1] == "tiktally":
    import tiktally.compat

    tiktally.compat.install()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import tiktoken

is_ours = tiktoken.__name__ == "tiktally.compat"
assert is_ours == (sys.argv[1] == "tiktally")
TEXT = "Tokenizers split text: naïve café, 你好世界 🙂, def f(x): return x ** 2\n\n" * 60
found = {}

from langchain_text_splitters import RecursiveCharacterTextSplitter, TokenTextSplitter

for name in ["cl100k_base", "o200k_base"]:
    found[f"langchain {name}"] = TokenTextSplitter(encoding_name=name, chunk_size=50, chunk_overlap=7).split_text(TEXT)
    splitter = RecursiveCharacterTextSplitter.from_tiktoken_encoder(encoding_name=name, chunk_size=60, chunk_overlap=10)
    found[f"langchain recursive {name}"] = splitter.split_text(TEXT)
found["langchain model"] = TokenTextSplitter(model_name="gpt-4o", chunk_size=50, chunk_overlap=0).split_text(TEXT)

from llama_index.core.node_parser import SentenceSplitter, TokenTextSplitter as LlamaSplitter
from llama_index.core.utilities.token_counting import TokenCounter
from llama_index.core.llms import ChatMessage
from llama_index.core.utils import get_tokenizer

for model in ["gpt-3.5-turbo", "gpt-4o"]:
    tokenizer = get_tokenizer(model)
    found[f"llama {model}"] = tokenizer(TEXT)
    counter = TokenCounter(tokenizer)
    messages = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content=TEXT)]
    found[f"llama counter {model}"] = [counter.get_string_tokens(TEXT), counter.estimate_tokens_in_messages(messages)]
    found[f"llama sentences {model}"] = SentenceSplitter(chunk_size=64, chunk_overlap=8, tokenizer=tokenizer).split_text(TEXT)
    found[f"llama tokens {model}"] = LlamaSplitter(chunk_size=64, chunk_overlap=8, tokenizer=tokenizer).split_text(TEXT)

import litellm

for model in ["gpt-4o", "gpt-4", "gpt-3.5-turbo"]:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": TEXT}]
    found[f"litellm {model}"] = [litellm.token_counter(model=model, messages=messages), litellm.token_counter(model=model, text=TEXT)]
    found[f"litellm ids {model}"] = litellm.encode(model=model, text=TEXT)
    found[f"litellm text {model}"] = litellm.decode(model=model, tokens=found[f"litellm ids {model}"])
print(json.dumps(found, ensure_ascii=False, indent=1))
