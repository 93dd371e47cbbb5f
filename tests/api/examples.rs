//! Runs the examples, which assert their results.

/// Includes each example as a module, with a test that runs it.
macro_rules! examples {
    ($($(#[$needs:meta])* $name:ident $path:literal $($call:ident)::+ ($($args:expr)?);)*) => {$(
        $(#[$needs])*
        #[allow(dead_code)] // count reads its arguments, which are not those of a test
        #[path = $path]
        mod $name;

        $(#[$needs])*
        #[test]
        fn $name() {
            $($call)::+($($args)?).unwrap();
        }
    )*};
}

examples! {
    #[cfg(feature = "o200k_base")]
    count "../../examples/count.rs" count::run(&[]);
    #[cfg(all(feature = "json", feature = "o200k_base"))]
    chat_request "../../examples/chat_request.rs" chat_request::main();
    #[cfg(feature = "cl100k_base")]
    stream "../../examples/stream.rs" stream::main();
    #[cfg(feature = "cl100k_base")]
    embeddings "../../examples/embeddings.rs" embeddings::main();
    #[cfg(all(feature = "custom", feature = "cl100k_base"))]
    custom_encoding "../../examples/custom_encoding.rs" custom_encoding::main();
    #[cfg(all(feature = "rayon", feature = "o200k_base"))]
    parallel_corpus "../../examples/parallel_corpus.rs" parallel_corpus::main();
}
