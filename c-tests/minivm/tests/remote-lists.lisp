; A child works on its parent's lists: what it asks for is done by the parent, which serves it while
; it waits for its end.
(define numbers (list 1 2.5 'three "four"))
(define ring (list 1 2))
(setcdr (cdr ring) ring)
(define dotted '(1 . 2))
(define child
  (spawn-child
    '(begin
       (define numbers (remote 'numbers))
       (assert (remote? numbers))
       (assert (cons? numbers))
       (assert-equal 'cons (type-of numbers))
       (assert (string-contains? (string numbers) "#<remote cons "))
       (assert-equal "(1 2.5 three \"four\")" (remote-text numbers))
       (assert-equal 4 (length numbers))
       (assert-equal 1 (car numbers))
       (assert-equal 2.5 (car (cdr numbers)))
       (assert-equal 'three (nth 2 numbers))
       (assert-equal nil (nth 4 numbers))
       (assert (remote? (nth 3 numbers)))
       (assert (string? (nth 3 numbers)))
       (assert-equal 4 (string-length (nth 3 numbers)))
       (assert-equal "four" (copy (nth 3 numbers)))

       ; Lists that begin here and go on there.
       (define longer (cons 0 numbers))
       (assert-equal 5 (length longer))
       (assert-equal 'three (nth 3 longer))
       (define seen nil)
       (for-each (lambda (element) (set! seen (cons element seen))) longer)
       (assert-equal 5 (length seen))
       (assert-equal '(t t nil nil) (map (lambda (e) (or (eq? e 1) (eq? e 2.5) (equal? e 2.5))) numbers))

       ; Writes.
       (assert-equal 10 (setcar numbers 10))
       (setcdr (cdr numbers) (list 30 40))
       (assert (string-contains? (remote-text numbers) "(10 2.5 . #<remote cons "))
       (assert-equal '(30 40) (cdr (cdr numbers)))
       (assert (not (remote? (cdr (cdr numbers)))))

       (define ring (remote 'ring))
       (assert-error 'type-error (length ring))
       (assert (eq? ring (cdr (cdr ring))))
       (assert-equal 2 (cdr (remote 'dotted)))
       (assert-error 'type-error (length (remote 'dotted)))
       (assert-error 'type-error (vector-ref numbers 0))
       (assert-error 'type-error (hash-ref numbers 0))
       (assert-error 'type-error (numbers)))))
(export-variable 'numbers)
(export-variable 'ring)
(export-variable 'dotted)
(assert-equal 0 (wait-child child))
(assert-equal '(10 2.5 30 40) numbers)
