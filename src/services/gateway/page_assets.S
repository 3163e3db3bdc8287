/* gateway/page_assets.S - the style sheet, the script and the icon of the pages, as they lie beside this file. */
    .section .rodata
    .global page_css
    .global page_css_end
    .global page_js
    .global page_js_end
    .global page_svg
    .global page_svg_end
page_css:
    .incbin "services/gateway/page.css"
page_css_end:
    .byte 0
page_js:
    .incbin "services/gateway/page.js"
page_js_end:
    .byte 0
page_svg:
    .incbin "services/gateway/page.svg"
page_svg_end:
    .byte 0
    .section .note.GNU-stack, "", @progbits
