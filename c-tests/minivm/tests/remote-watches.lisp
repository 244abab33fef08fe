; A watched object tells of its next change, so that what was read of it may be kept until then.
(define shelf [1 2])
(define pair (cons 1 2))
(define table {:a 1})
(defrecord point x y)
(define corner (make-point 1 2))
(define text (string "some"))
(define other (list 'other))
(define (set-shelf value) (vector-set! shelf 0 value) nil)
(define (write-pair) (setcdr pair 3) nil)
(define (write-table) (hash-set! table :b 1) nil)
(define (write-corner) (set-point-y! corner 3) nil)
(define (write-text) (string-append! text " more") nil)
(define (write-others) (setcar other 1) (set! other nil) nil)
(define child
  (spawn-child
    '(begin
       (define shelf (remote 'shelf))
       (define (requests) (cdr (nth 2 (link-counts (parent)))))

       ; A copy that is made again when it is old.
       (define kept nil)
       (define (forget object) (set! kept nil))
       (define (read-shelf)
         (serve (parent) 0)
         (when (not kept)
           (watch shelf forget)
           (set! kept (copy shelf)))
         kept)
       (assert-equal [1 2] (read-shelf))
       (define before (requests))
       (dotimes (i 10) (assert-equal [1 2] (read-shelf)))
       (assert-equal before (requests))
       (parent-call 'set-shelf 10)
       (assert-equal [10 2] (read-shelf))
       (assert (unwatch shelf))

       ; A watch tells of one change. Its procedure is called when this process serves its links, and not
       ; in the middle of a request.
       (define changes nil)
       (define (note object) (set! changes (cons object changes)))
       (define (take-changes)
         (serve (parent) 0)
         (let ((taken (reverse changes)))
           (set! changes nil)
           taken))
       (assert (eq? shelf (watch shelf note)))
       (parent-call 'set-shelf 11)
       (assert-equal nil changes)
       (assert-equal (list shelf) (take-changes))
       (parent-call 'set-shelf 12)
       (assert-equal nil (take-changes))

       ; Whatever the parent writes, and nothing else.
       (for-each (lambda (name) (watch (remote name) note)) '(pair table corner text))
       (parent-call 'write-others)
       (assert-equal nil (take-changes))
       (define (check name write)
         (parent-call write)
         (assert-equal (list (remote name)) (take-changes)))
       (check 'pair 'write-pair)
       (check 'table 'write-table)
       (check 'corner 'write-corner)
       (check 'text 'write-text)

       ; What this process writes itself it hears of too.
       (for-each (lambda (write)
                   (watch shelf note)
                   (write)
                   (assert-equal (list shelf) (take-changes)))
                 (list (lambda () (vector-set! shelf 1 20))
                       (lambda () (add! shelf 1 1))
                       (lambda () (exchange! shelf 1 21 22))))
       ; Of writes that have failed nobody hears.
       (watch (remote 'frozen) note)
       (watch shelf note)
       (assert-error 'frozen-error (vector-set! (remote 'frozen) 0 1))
       (assert-error 'range-error (vector-set! shelf 2 1))
       (assert-equal nil (take-changes))

       ; Another procedure takes the place of the first one.
       (define others nil)
       (watch shelf (lambda (object) (set! others (cons object others))))
       (parent-call 'set-shelf 13)
       (assert-equal nil (take-changes))
       (assert-equal (list shelf) others)

       ; Who has lost interest is not called, even if the change was told of already.
       (watch shelf note)
       (assert (unwatch shelf))
       (assert (not (unwatch shelf)))
       (parent-call 'set-shelf 14)
       (watch shelf note)
       (parent-call 'set-shelf 15)
       (assert (unwatch shelf))
       (assert-equal nil (take-changes))

       ; A procedure may watch again. What it raises, whoever serves raises; the others are called later.
       (define seen nil)
       (define (see object)
         (watch object see)
         (set! seen (cons (vector-ref object 0) seen)))
       (watch shelf see)
       (parent-call 'set-shelf 16)
       (serve (parent) 0)
       (parent-call 'set-shelf 17)
       (serve-all)
       (assert-equal '(17 16) seen)
       (watch (remote 'table) (lambda (object) (raise 'own-kind "from the procedure")))
       (parent-call 'write-table)
       (parent-call 'set-shelf 18)
       (assert-error 'own-kind (serve (parent) 0))
       (assert-equal '(17 16) seen)
       (serve (parent) 0)
       (assert-equal '(18 17 16) seen)

       ; What can't be watched.
       (assert-error 'type-error (watch (list 1) note))
       (assert-error 'type-error (watch 1 note))
       (assert-error 'type-error (watch shelf 1))
       (assert-error 'denied (watch (parent-call 'unreadable) note))
       (assert (not (unwatch 1))))))
(define frozen (freeze [1]))
(define (unreadable) (list 1))
(for-each export-variable
          '(shelf pair table corner text frozen set-shelf
            write-pair write-table write-corner write-text write-others))
(export 'unreadable unreadable '(call))
(assert-equal 0 (wait-child child))
(assert-equal [18 22] shelf)

; The other way round: a parent hears of it while it waits for its child's end.
(define heard nil)
(define kept nil)
(define (hear object) (set! heard (cons (car object) heard)) nil)
(define (keep object) (set! kept object) (watch object hear) nil)
(for-each export-variable '(keep))
(define writer
  (spawn-child
    '(begin
       (define mine (list 1))
       (parent-call 'keep mine)
       (setcar mine 2)
       (serve (parent) 100))))
(assert-equal 0 (wait-child writer))
(assert-equal '(2) heard)

; A peer that is gone tells of nothing, and its objects can't be watched any more. Nobody keeps what was
; watched.
(define (end-me) (kill-child victim) nil)
(export-variable 'end-me)
(define victim
  (spawn-child
    '(begin
       (define mine (list 1))
       (parent-call 'keep mine)
       (parent-call 'end-me))))
(assert-equal -9 (wait-child victim))
(assert-error 'peer-dead (watch kept hear))
(set! kept nil)
(gc)
(assert-equal 0 (cdr (nth 1 (link-counts victim))))
(assert-equal '(2) heard)
